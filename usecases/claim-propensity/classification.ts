import type { Random } from '../../src/ml/random.ts';

/** How many features of each sort, and how hard the task is; the names are scikit-learn's, in camel case. */
export type ClassificationShape = {
  informative: number;
  redundant: number;
  repeated: number;
  /** Noise that tells nothing. */
  useless: number;
  clustersPerClass: number;
  /** Half the edge of the cube on whose corners the clusters stand. */
  classSep: number;
};

/** Where two classes lie in space: everything that the rows of all months share. Matrices are row-major. */
export type Geometry = ClassificationShape & {
  /** Cluster → its corner of the cube. Cluster k is of class k mod 2. */
  centroids: readonly Float64Array[];
  /** Cluster → informative × informative: what gives it a shape of its own. */
  mixing: readonly Float64Array[];
  /** informative × redundant: the redundant features are combinations of the informative ones. */
  combining: Float64Array;
  /** Which of the informative and redundant features are repeated. */
  repeats: ArrayLike<number>;
  /** Place in the finished row → feature: the sorts are mixed up. */
  order: ArrayLike<number>;
};

/**
 * Draws a geometry as scikit-learn's `make_classification` does (after Guyon, "Design of experiments for the NIPS 2003 variable
 * selection benchmark"): clusters on random corners of a hypercube, each with a random covariance, and features that are
 * combinations and copies of others. The distributions are scikit-learn's; its bits are not.
 */
export function drawGeometry(random: Random, shape: ClassificationShape): Geometry {
  const { informative, redundant, repeated, useless, clustersPerClass, classSep } = shape;
  const clusters = 2 * clustersPerClass;
  const corners = random.shuffle(random.sample(2 ** informative, clusters));
  const even = () => 2 * random.uniform() - 1;
  const matrix = (columns: number) => Float64Array.from({ length: informative * columns }, even);
  const said = informative + redundant;
  return {
    ...shape,
    centroids: Array.from(corners, (corner) =>
      Float64Array.from({ length: informative }, (_, bit) => ((corner >> bit) & 1 ? classSep : -classSep)),
    ),
    mixing: Array.from({ length: clusters }, () => matrix(informative)),
    combining: matrix(redundant),
    // not quite even: the first and the last are drawn half as often
    repeats: Array.from({ length: repeated }, () => Math.trunc((said - 1) * random.uniform() + 0.5)),
    order: random.shuffle(Int32Array.from({ length: said + repeated + useless }, (_, feature) => feature)),
  };
}

/** The features of a row of a cluster, from standard normals: one per informative and then one per useless feature. */
export function placeRow(geometry: Geometry, cluster: number, normals: ArrayLike<number>): Float64Array {
  const { informative, redundant, repeats, useless, centroids, mixing, combining, order } = geometry;
  const features = new Float64Array(order.length);
  for (let j = 0; j < informative; j++) {
    let sum = 0;
    for (let i = 0; i < informative; i++) sum += normals[i] * mixing[cluster][i * informative + j];
    features[j] = sum + centroids[cluster][j];
  }
  for (let j = 0; j < redundant; j++) {
    let sum = 0;
    for (let i = 0; i < informative; i++) sum += features[i] * combining[i * redundant + j];
    features[informative + j] = sum;
  }
  const said = informative + redundant;
  for (let j = 0; j < repeats.length; j++) features[said + j] = features[repeats[j]];
  for (let j = 0; j < useless; j++) features[said + repeats.length + j] = normals[informative + j];
  return Float64Array.from(order, (feature) => features[feature]);
}

/** The cluster of each of so many rows, shuffled: `positives` of the rows, to a row per cluster, are of the odd clusters. */
export function clustersOf(
  random: Random,
  rows: number,
  { positives, clustersPerClass }: { positives: number; clustersPerClass: number },
): Int32Array {
  const clusters = 2 * clustersPerClass;
  const share = (cluster: number) => (cluster % 2 === 1 ? positives : 1 - positives) / clustersPerClass;
  const whole = Array.from({ length: clusters }, (_, cluster) => Math.trunc(rows * share(cluster)));
  const left = rows - whole.reduce((sum, count) => sum + count, 0);
  const counts = whole.map((count, cluster) => count + (cluster < left ? 1 : 0));
  return random.shuffle(
    Int32Array.from(counts.flatMap((count, cluster) => Array.from({ length: count }, () => cluster))),
  );
}

/** The class of a row: its cluster's, unless it is one of the `flip` whose class is drawn by lot. */
export function classOf(random: Random, cluster: number, flip: number): 0 | 1 {
  const isFlipped = random.uniform() < flip;
  const byLot = random.integer(2);
  return (isFlipped ? byLot : cluster % 2) === 1 ? 1 : 0;
}
