import { describe, expect, test } from 'vitest';
import { random } from '../../../src/ml/random.ts';
import { type BinnedMatrix, binMatrix } from '../../../src/ml/trees/binning.ts';
import { type GrownTree, type GrowthRules, treeGrower } from '../../../src/ml/trees/grower.ts';
import { quantise } from '../../../src/ml/trees/quantise.ts';
import { allRows, mixedExample } from './example-data.ts';

const rules: GrowthRules = {
  numLeaves: 15,
  maxDepth: 0,
  minSplitSamples: 2,
  minChildSamples: 10,
  minChildWeight: 1e-3,
  lambdaL1: 0,
  lambdaL2: 0,
  minSplitGain: 0,
  extraTrees: false,
  categoricalSmoothing: 10,
  categoricalL2: 10,
  maxCategoriesPerSplit: 32,
  featureFractionByNode: 1,
};
const { data, target } = mixedExample(800, 'grower');
const binned = binMatrix(data, { maxBin: 63, minDataInBin: 3 });
const gradients = quantise(
  target.map((y) => -y),
  null,
  data.rows,
);

function grow(changes: Partial<GrowthRules> = {}, order = allRows(data.rows)): GrownTree {
  return treeGrower(binned, { ...rules, ...changes })(gradients, order, allRows(binned.slots.length), random('grow'));
}

/** The leaf that a row falls into by walking the nodes. */
function leafOf({ nodes }: GrownTree, { slots, byColumn, rows }: BinnedMatrix, row: number): number {
  let node = nodes.length > 0 ? 0 : -1;
  while (node >= 0) {
    const { split, left, right } = nodes[node];
    const bin = byColumn[split.slot * rows + row];
    const isMissing = bin === slots[split.slot].bins;
    const goesLeft = split.leftBins === null ? (isMissing ? split.missingLeft : bin <= split.bin) : split.leftBins[bin];
    node = goesLeft ? left : right;
  }
  return ~node;
}

/** What every grown tree must be, however it was asked for. */
function validate(tree: GrownTree, given: GrowthRules, rows: ArrayLike<number>): void {
  expect([...tree.order].sort((a, b) => a - b)).toEqual(Array.from(rows).sort((a, b) => a - b));
  expect(tree.leaves.length).toBe(tree.nodes.length + 1);
  const ends = tree.leaves.map(({ start, end }) => [start, end]).sort((a, b) => a[0] - b[0]);
  expect(ends[0][0]).toBe(0);
  expect(ends.at(-1)![1]).toBe(tree.order.length);
  ends.forEach(([start], i) => expect(start).toBe(i === 0 ? 0 : ends[i - 1][1]));
  tree.leaves.forEach(({ start, end }, leaf) => {
    expect(end - start).toBeGreaterThanOrEqual(given.minChildSamples);
    for (let i = start; i < end; i++) expect(leafOf(tree, binned, tree.order[i])).toBe(leaf);
  });
  for (const { split } of tree.nodes) {
    expect(split.gain).toBeGreaterThan(given.minSplitGain);
    expect(split.left.count).toBeGreaterThanOrEqual(given.minChildSamples);
    expect(split.right.count).toBeGreaterThanOrEqual(given.minChildSamples);
  }
}

describe('a grown tree', () => {
  test.each<[string, Partial<GrowthRules>]>([
    ['leaf by leaf', {}],
    ['with a depth limit', { maxDepth: 3 }],
    ['without a leaf limit', { numLeaves: 0, minChildSamples: 3 }],
    ['with few features per node', { numLeaves: 0, featureFractionByNode: 0.3, minChildSamples: 1 }],
    ['with most features per node', { featureFractionByNode: 0.8 }],
    ['with random thresholds', { extraTrees: true }],
    ['with a least gain', { minSplitGain: 30 }],
  ])('parts the rows into leaves that its splits lead to: %s', (_, changes) => {
    const tree = grow(changes);
    validate(tree, { ...rules, ...changes }, allRows(data.rows));
    expect(tree.nodes.length).toBeGreaterThan(3);
  });

  test('a bootstrap sample keeps its repeated rows', () => {
    const r = random('bootstrap');
    const order = Int32Array.from({ length: data.rows }, () => r.integer(data.rows));
    const tree = grow({}, Int32Array.from(order));
    validate(tree, rules, order);
    expect(tree.leaves.length).toBe(15);
  });

  test('leaf-wise growth splits the leaf that gains most, so a longer tree begins with the shorter one', () => {
    const long = grow({ numLeaves: 15 });
    const short = grow({ numLeaves: 6 });
    expect(long.nodes.slice(0, 5).map(({ split }) => split)).toEqual(short.nodes.map(({ split }) => split));
    const depthOf = (limited: GrownTree) => {
      const depth = new Map([[0, 0]]);
      limited.nodes.forEach(({ left, right }, node) => {
        for (const child of [left, right]) if (child >= 0) depth.set(child, depth.get(node)! + 1);
      });
      return Math.max(...depth.values()) + 1;
    };
    expect(depthOf(grow({ maxDepth: 3 }))).toBeLessThanOrEqual(3);
  });

  test('whole histograms and rows read directly find the same splits', () => {
    const one = Int32Array.of(2);
    const dense = treeGrower(binned, rules)(gradients, allRows(data.rows), one, random(1));
    const sparse = treeGrower(binned, { ...rules, featureFractionByNode: 0.5 })(
      gradients,
      allRows(data.rows),
      one,
      random(1),
    );
    expect(sparse).toEqual(dense);
  });

  test('nothing to gain leaves one leaf', () => {
    const flat = quantise(new Float64Array(data.rows).fill(0.7), null, data.rows);
    const tree = treeGrower(binned, rules)(flat, allRows(data.rows), allRows(binned.slots.length), random(1));
    expect(tree.nodes).toEqual([]);
  });
});
