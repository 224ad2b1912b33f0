import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { random } from '../../../src/ml/random.ts';
import {
  type Geometry,
  classOf,
  clustersOf,
  drawGeometry,
  placeRow,
} from '../../../usecases/claim-propensity/classification.ts';

type Fixture = {
  rows: number;
  flip: number;
  counts: number[];
  centroids: number[][];
  mixing: number[][];
  combining: number[];
  repeatDraws: number[];
  normals: number[][];
  flips: number[];
  lots: number[];
  features: number[][];
  label: number[];
};
const drawn = JSON.parse(
  readFileSync(new URL('../../fixtures/claim-propensity/classification.json', import.meta.url), 'utf8'),
) as Fixture;
const shape = { informative: 7, redundant: 4, repeated: 3, useless: 2, clustersPerClass: 2, classSep: 1.2 };
const clusterOfRow = drawn.counts.flatMap((count, cluster) => Array.from({ length: count }, () => cluster));

/** A stream that hands out what is given and nothing else. */
function replay(uniforms: number[], integers: number[]) {
  return { ...random(0), uniform: () => uniforms.shift()!, integer: () => integers.shift()! };
}

describe("fed with scikit-learn's own draws", () => {
  test('the rows are those of make_classification', () => {
    const geometry: Geometry = {
      ...shape,
      centroids: drawn.centroids.map((values) => Float64Array.from(values)),
      mixing: drawn.mixing.map((values) => Float64Array.from(values)),
      combining: Float64Array.from(drawn.combining),
      repeats: drawn.repeatDraws.map((uniform) => Math.trunc(10 * uniform + 0.5)),
      order: Array.from({ length: 16 }, (_, feature) => feature),
    };
    drawn.features.forEach((expected, row) => {
      const placed = placeRow(geometry, clusterOfRow[row], drawn.normals[row]);
      expect(placed).toHaveLength(16);
      expected.forEach((value, feature) => expect(Math.abs(placed[feature] - value)).toBeLessThan(1e-12));
    });
  });

  test('the labels are those of make_classification', () => {
    const lots = [...drawn.lots];
    const label = clusterOfRow.map((cluster, row) => {
      // only flipped rows have a lot in the fixture; the others' is not looked at
      const lot = drawn.flips[row] < drawn.flip ? lots.shift()! : 1 - (cluster % 2);
      return classOf(replay([drawn.flips[row]], [lot]), cluster, drawn.flip);
    });
    expect(label).toEqual(drawn.label);
  });

  test('the clusters are as large', () => {
    const clusters = clustersOf(random(1), drawn.rows, { positives: 0.15, clustersPerClass: 2 });
    expect([0, 1, 2, 3].map((cluster) => clusters.filter((own) => own === cluster).length)).toEqual(drawn.counts);
  });
});

describe('a drawn geometry', () => {
  test('puts every cluster on a corner of its own of the cube', () => {
    for (let seed = 0; seed < 50; seed++) {
      const { centroids } = drawGeometry(random(seed), shape);
      expect(new Set(centroids.map((centroid) => centroid.join())).size).toBe(4);
      expect(centroids.flatMap((centroid) => [...centroid]).every((value) => Math.abs(value) === 1.2)).toBe(true);
    }
  });

  test('mixes by numbers that are even between −1 and 1, and repeats the first and last feature half as often', () => {
    const geometries = Array.from({ length: 400 }, (_, seed) => drawGeometry(random(seed), shape));
    const numbers = geometries.flatMap(({ mixing, combining }) => [...mixing.flatMap((m) => [...m]), ...combining]);
    expect(Math.abs(numbers.reduce((sum, value) => sum + value, 0) / numbers.length)).toBeLessThan(0.005);
    expect(Math.abs(numbers.reduce((sum, value) => sum + value ** 2, 0) / numbers.length - 1 / 3)).toBeLessThan(0.005);
    expect(Math.max(...numbers.map(Math.abs))).toBeLessThanOrEqual(1);

    const counts = new Float64Array(11);
    for (const { repeats } of geometries) for (const feature of Array.from(repeats)) counts[feature]++;
    // 1,200 draws: a tenth each, a twentieth at the ends; five standard deviations are .043 and .031
    for (let feature = 0; feature < 11; feature++) {
      const expected = feature === 0 || feature === 10 ? 0.05 : 0.1;
      expect(Math.abs(counts[feature] / 1200 - expected)).toBeLessThan(expected === 0.05 ? 0.031 : 0.043);
    }
  });

  test('repeats are copies and redundant features combinations, wherever the order has put them', () => {
    const geometry = drawGeometry(random(5), shape);
    const stream = random('rows');
    const normals = Array.from({ length: 9 }, () => stream.normal());
    const row = placeRow(geometry, 2, normals);
    const at = (feature: number) => row[Array.from(geometry.order).indexOf(feature)];
    Array.from(geometry.repeats).forEach((feature, i) => expect(at(11 + i)).toBe(at(feature)));
    for (let j = 0; j < 4; j++) {
      const combined = Array.from({ length: 7 }, (_, i) => at(i) * geometry.combining[i * 4 + j]);
      expect(at(7 + j)).toBeCloseTo(
        combined.reduce((sum, value) => sum + value, 0),
        10,
      );
    }
  });
});
