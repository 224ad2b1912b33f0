import type { Matrix } from '../../../src/ml/matrix.ts';
import type { Tree } from '../../../src/ml/trees/model.ts';
import { goesLeft } from '../../../src/ml/trees/predictor.ts';

/** The naive twins of SHAP: a game is its value for every set of known features, as bits; its solutions enumerate all sets. */
export type Game = readonly number[];

/** The game of path-dependent SHAP: an unknown feature follows both branches in proportion to their covers. */
export function pathDependentGame(trees: readonly Tree[], row: ArrayLike<number>, features: number): Game {
  return gameOf(features, (known) => trees.reduce((sum, tree) => sum + expectation(tree, row, known), 0));
}

/** The game of interventional SHAP: an unknown feature takes its value from each row of the background in turn. */
export function interventionalGame(
  trees: readonly Tree[],
  row: ArrayLike<number>,
  background: readonly ArrayLike<number>[],
  features: number,
): Game {
  return gameOf(features, (known) => {
    let sum = 0;
    for (const reference of background) {
      const mixed = Array.from({ length: features }, (_, f) => ((known >> f) & 1 ? row[f] : reference[f]));
      for (const tree of trees) sum += expectation(tree, mixed, -1);
    }
    return sum / background.length;
  });
}

/** The Shapley value of every feature, and last the value of the game where nothing is known. */
export function shapleyValues(game: Game): number[] {
  const features = Math.log2(game.length);
  const values = Array.from({ length: features }, (_, j) =>
    sumOverSetsWithout(game, [j], (set) => {
      const weight = (factorial(size(set)) * factorial(features - size(set) - 1)) / factorial(features);
      return weight * (game[set | (1 << j)] - game[set]);
    }),
  );
  return [...values, game[0]];
}

/** SHAP interaction values, line by line: half the interaction index beside the diagonal, on it the rest of the Shapley value. */
export function interactionValues(game: Game): number[] {
  const features = Math.log2(game.length);
  const square = Array.from({ length: features + 1 }, () => Array.from({ length: features + 1 }, () => 0));
  const phi = shapleyValues(game);
  for (let i = 0; i < features; i++) {
    for (let j = 0; j < features; j++) {
      if (i === j) continue;
      square[i][j] = sumOverSetsWithout(game, [i, j], (set) => {
        const weight = (factorial(size(set)) * factorial(features - size(set) - 2)) / (2 * factorial(features - 1));
        const [first, second] = [1 << i, 1 << j];
        return weight * (game[set | first | second] - game[set | first] - game[set | second] + game[set]);
      });
    }
    square[i][i] = phi[i] - square[i].reduce((a, b) => a + b, 0);
  }
  square[features][features] = phi[features];
  return square.flat();
}

export function rowOf(data: Matrix, row: number): number[] {
  return Array.from({ length: data.columns }, (_, c) => data.values[c * data.rows + row]);
}

function gameOf(features: number, value: (known: number) => number): Game {
  return Array.from({ length: 1 << features }, (_, known) => value(known));
}

/** What the tree expects when only the features in `known` (bits) of a row are given. */
function expectation(tree: Tree, row: ArrayLike<number>, known: number, node = tree.leaves > 1 ? 0 : -1): number {
  if (node < 0) return tree.leafValue[~node];
  const children = [tree.left[node], tree.right[node]];
  const feature = tree.splitFeature[node];
  if ((known >> feature) & 1)
    return expectation(tree, row, known, children[goesLeft(tree, node, row[feature]) ? 0 : 1]);
  const cover = (child: number) => (child >= 0 ? tree.nodeCount[child] : tree.leafCount[~child]);
  return (
    children.reduce((sum, child) => sum + cover(child) * expectation(tree, row, known, child), 0) / tree.nodeCount[node]
  );
}

function sumOverSetsWithout(game: Game, without: number[], term: (set: number) => number): number {
  let sum = 0;
  for (let set = 0; set < game.length; set++) if (without.every((f) => ((set >> f) & 1) === 0)) sum += term(set);
  return sum;
}

function factorial(n: number): number {
  return n <= 1 ? 1 : n * factorial(n - 1);
}

function size(set: number): number {
  return set.toString(2).replaceAll('0', '').length;
}
