import { describe, expect, test } from 'vitest';
import { readLightgbmText, writeLightgbmText } from '../../../src/ml/formats/lightgbm-text.ts';
import { column } from '../../../src/ml/matrix.ts';
import { trainForest } from '../../../src/ml/trees/forest.ts';
import { featureImportance } from '../../../src/ml/trees/importance.ts';
import { predict } from '../../../src/ml/trees/predictor.ts';
import { mixedExample } from './example-data.ts';

const { data, target } = mixedExample(1200, 'forest');
const other = mixedExample(500, 'unseen');

function meanSquare(actual: Float64Array, predicted: Float64Array): number {
  return actual.reduce((sum, y, i) => sum + (y - predicted[i]) ** 2, 0) / actual.length;
}

describe('a random forest', () => {
  test('predicts unseen rows far better than the mean and better than its first tree', () => {
    const model = trainForest(data, target, { trees: 60, minChildSamples: 2, seed: 4 });
    const mean = target.reduce((a, b) => a + b) / target.length;
    const error = meanSquare(other.target, predict(model, other.data));
    expect(error).toBeLessThan(0.4 * meanSquare(other.target, new Float64Array(500).fill(mean)));
    expect(error).toBeLessThan(meanSquare(other.target, predict(model, other.data, { iterations: 1 })));
  });

  test('a single tree on all rows without limits gives every distinct row its own target', () => {
    const all = { trees: 1, bootstrap: false, featureFraction: 1, minDataInBin: 1 };
    const model = trainForest(data, target, all);
    expect(meanSquare(target, predict(model, data))).toBeLessThan(0.01);
    expect(model.trees[0].leaves).toBeGreaterThan(1000);
  });

  test.each([{}, { featureFraction: 0.8, maxDepth: 6 }, { minChildSamples: 7, lambdaL2: 2 }])(
    'the kernel in WebAssembly and its twin grow the same trees, node by node: %o',
    (more) => {
      const trained = (['webassembly', 'typescript'] as const).map((kernel) =>
        trainForest(data, target, { trees: 4, ...more }, { kernel }),
      );
      expect(trained[0]).toEqual(trained[1]);
    },
  );

  test('its limits hold in every tree', () => {
    const limits = { trees: 5, maxDepth: 4, minChildSamples: 7, minSplitSamples: 30 };
    for (const tree of trainForest(data, target, limits).trees) {
      expect(tree.leaves).toBeLessThanOrEqual(16);
      expect(Math.min(...tree.leafCount)).toBeGreaterThanOrEqual(7);
      expect(Math.min(...tree.nodeCount)).toBeGreaterThanOrEqual(30);
      expect(tree.nodeCount[0]).toBe(1200);
    }
  });

  test('equal seeds give equal bytes and the stored model scores to the last bit', () => {
    const text = (seed: number) => writeLightgbmText(trainForest(data, target, { trees: 5, seed }));
    expect(text(3)).toBe(text(3));
    expect(text(3)).not.toBe(text(4));
    const model = trainForest(data, target, { trees: 5, seed: 3 });
    expect(predict(readLightgbmText(text(3)), other.data)).toEqual(predict(model, other.data));
  });

  test('the feature that is the target gains most, the constant feature is never split on', () => {
    const importance = featureImportance(trainForest(data, column(data, 2), { trees: 20, minChildSamples: 5 }));
    const byName = Object.fromEntries(importance.map(({ feature, gain }) => [feature, gain]));
    expect(byName.constant).toBe(0);
    expect(Math.max(...Object.values(byName))).toBe(byName.index);
  });

  test('weights of zero leave rows without influence', () => {
    const weight = Float64Array.from({ length: 1200 }, (_, i) => (i < 600 ? 1 : 0));
    const disturbed = target.map((y, i) => (i < 600 ? y : 1e6));
    const model = trainForest(data, disturbed, { trees: 5, minChildWeight: 1 }, { weight });
    expect(Math.max(...predict(model, data))).toBeLessThan(100);
  });
});
