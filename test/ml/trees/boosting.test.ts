import { describe, expect, test } from 'vitest';
import { readLightgbmText, writeLightgbmText } from '../../../src/ml/formats/lightgbm-text.ts';
import { type Matrix, column } from '../../../src/ml/matrix.ts';
import { random } from '../../../src/ml/random.ts';
import { trainBoosting } from '../../../src/ml/trees/boosting.ts';
import { type BoostingParameters, InvalidParameter, InvalidTrainingData } from '../../../src/ml/trees/parameters.ts';
import { predict } from '../../../src/ml/trees/predictor.ts';
import { mixedExample } from './example-data.ts';

const { data, target } = mixedExample(1500, 'boosting');
const other = mixedExample(600, 'validation');
const quick: BoostingParameters = { iterations: 30, numLeaves: 15, learningRate: 0.15 };

function rootMeanSquare(actual: Float64Array, predicted: Float64Array): number {
  return Math.sqrt(actual.reduce((sum, y, i) => sum + (y - predicted[i]) ** 2, 0) / actual.length);
}

describe('boosting', () => {
  test('learns numbers, missing values and categories well beyond the mean', () => {
    const model = trainBoosting(data, target, { ...quick, iterations: 100 });
    const spread = rootMeanSquare(other.target, new Float64Array(600).fill(target.reduce((a, b) => a + b) / 1500));
    const error = rootMeanSquare(other.target, predict(model, other.data));
    expect(error).toBeLessThan(0.35 * spread);
  });

  test('equal data, parameters and seed give equal bytes, another seed does not', () => {
    const sampled = { ...quick, baggingFraction: 0.7, featureFraction: 0.7, featureFractionByNode: 0.8 };
    const text = (seed: number) => writeLightgbmText(trainBoosting(data, target, { ...sampled, seed }));
    expect(text(1)).toBe(text(1));
    expect(text(1)).not.toBe(text(2));
  });

  test.each<BoostingParameters>([
    {},
    { objective: 'poisson', lambdaL2: 1 },
    { featureFraction: 0.5, baggingFraction: 0.6, monotoneConstraints: [0, 1, 0, 0, 0, 0] },
  ])('the kernel in WebAssembly and its twin grow the same trees, node by node: %o', (more) => {
    const counts = target.map((y) => Math.max(0, Math.round(y)));
    const trained = (['webassembly', 'typescript'] as const).map((kernel) =>
      trainBoosting(data, counts, { ...quick, ...more }, { kernel }),
    );
    expect(trained[0]).toEqual(trained[1]);
  });

  test('the stored model scores as the trained one, to the last bit', () => {
    const model = trainBoosting(data, target, quick, { categories: [['a', 'b', 'c', 'd', 'e'], []] });
    const stored = readLightgbmText(writeLightgbmText(model));
    expect(predict(stored, other.data)).toEqual(predict(model, other.data));
    expect(stored).toEqual(model);
  });

  test('one tree without shrinkage predicts the mean of each leaf', () => {
    const model = trainBoosting(data, target, { iterations: 1, learningRate: 1, numLeaves: 8 });
    const predicted = predict(model, data);
    for (const value of new Set(predicted)) {
      let sum = 0;
      let count = 0;
      predicted.forEach((p, i) => {
        if (p !== value) return;
        sum += target[i];
        count++;
      });
      expect(value).toBeCloseTo(sum / count, 10);
      expect([...model.trees[0].leafCount]).toContain(count);
    }
  });

  test('an integer weight is the same as repeating the row', () => {
    const r = random('weights');
    const times = Float64Array.from({ length: 200 }, () => 1 + r.integer(3));
    const few = mixedExample(200, 'repeat');
    const repeated = Array.from(times).flatMap((count, row) => Array.from({ length: count }, () => row));
    const values = new Float64Array(repeated.length * few.data.columns);
    for (let c = 0; c < few.data.columns; c++) {
      repeated.forEach((row, i) => (values[c * repeated.length + i] = column(few.data, c)[row]));
    }
    const long: Matrix = { ...few.data, rows: repeated.length, values };
    const parameters = { iterations: 5, minChildSamples: 1, minChildWeight: 15, minDataInBin: 1 };
    const weighted = trainBoosting(few.data, few.target, parameters, { weight: times });
    const copied = trainBoosting(
      long,
      Float64Array.from(repeated, (row) => few.target[row]),
      parameters,
    );
    const difference = rootMeanSquare(predict(weighted, few.data), predict(copied, few.data));
    expect(difference).toBeLessThan(1e-6);
  });

  test('early stopping keeps the iteration with the least validation loss', () => {
    const losses: number[] = [];
    const model = trainBoosting(
      data,
      target,
      { ...quick, iterations: 400, learningRate: 0.4, earlyStoppingRounds: 10 },
      { validation: other, onIteration: (_, loss) => losses.push(loss!) },
    );
    const least = losses.indexOf(Math.min(...losses));
    expect(model.trees.length).toBe(least + 1);
    expect(losses.length).toBe(least + 11);
    expect(rootMeanSquare(other.target, predict(model, other.data)) ** 2).toBeCloseTo(losses[least], 10);
  });

  test('a monotone feature never lets the prediction fall, whatever the other features are', () => {
    const rising: (-1 | 0 | 1)[] = [0, 1, 0, 0, 0, 0];
    const model = trainBoosting(data, target, { ...quick, monotoneConstraints: rising });
    const free = trainBoosting(data, target, quick);
    const falls = (asked: typeof model) => {
      let worst = 0;
      let before: Float64Array | null = null;
      for (let count = 0; count < 8; count++) {
        const values = Float64Array.from(other.data.values);
        values.fill(count, other.data.rows, 2 * other.data.rows);
        const predicted = predict(asked, { ...other.data, values });
        predicted.forEach((p, i) => (worst = Math.min(worst, p - (before?.[i] ?? -Infinity))));
        before = predicted;
      }
      return worst;
    };
    expect(falls(model)).toBeGreaterThanOrEqual(0);
    expect(falls(free)).toBeLessThan(-0.1);
  });

  test('several outputs share one binning and each is learnt as if alone', () => {
    const both = Float64Array.from({ length: 3000 }, (_, i) => (i % 2 === 0 ? target[i >> 1] : -2 * target[i >> 1]));
    const model = trainBoosting(data, both, quick);
    const alone = predict(trainBoosting(data, target, quick), data);
    const predicted = predict(model, data);
    expect(model.outputs).toBe(2);
    for (let i = 0; i < data.rows; i++) {
      expect(predicted[2 * i]).toBe(alone[i]);
      expect(predicted[2 * i + 1]).toBeCloseTo(-2 * alone[i], 6);
    }
  });

  test('data in which nothing can be split gives the constant', () => {
    const flat: Matrix = { rows: 50, columns: 1, names: ['x'], values: new Float64Array(50).fill(3) };
    const model = trainBoosting(
      flat,
      Float64Array.from({ length: 50 }, (_, i) => i),
    );
    expect(model.trees.length).toBe(1);
    expect(predict(model, flat)).toEqual(new Float64Array(50).fill(24.5));
  });

  test('every parameter and datum that has no meaning is refused by name', () => {
    const misspelt = { learningrate: 0.1 } as BoostingParameters;
    expect(() => trainBoosting(data, target, misspelt)).toThrow(InvalidParameter);
    expect(() => trainBoosting(data, target, misspelt)).toThrow('learningrate');
    expect(() => trainBoosting(data, target, { numLeaves: 1 })).toThrow('numLeaves');
    expect(() => trainBoosting(data, target, { earlyStoppingRounds: 5 })).toThrow('validation');
    expect(() => trainBoosting(data, target, { monotoneConstraints: [1] })).toThrow('6 columns');
    expect(() => trainBoosting(data, target, { monotoneConstraints: [0, 0, 0, 0, 1, 0] })).toThrow('"region"');
    expect(() => trainBoosting(data, target.subarray(1))).toThrow(InvalidTrainingData);
    expect(() => trainBoosting(data, target.with(3, NaN))).toThrow('missing or infinite');
    expect(() => trainBoosting(data, target, {}, { weight: new Float64Array(1500) })).toThrow('not all 0');
    expect(() => trainBoosting(data, target, { objective: 'binary' })).toThrow('0 and 1');
    expect(() => trainBoosting(data, target, { objective: 'gamma' })).toThrow('above 0');
    const pairs = new Float64Array(3000).fill(1);
    expect(() => trainBoosting(data, pairs, { objective: 'poisson' })).toThrow('one output');
    expect(() => trainBoosting(data, target, { objective: 'quantile', alpha: 2 })).toThrow('alpha');
  });
});
