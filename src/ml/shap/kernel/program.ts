import type { Tree } from '../../trees/model.ts';
import { categoricalBit, defaultLeftBit, missing } from '../../trees/model.ts';
import { type LeafGroup, type LeafPath, type TreePaths, treePaths } from '../paths.ts';
import { gaussLegendre } from '../quadrature.ts';

/*
 * Trees taken apart, as bytes that the kernel in WebAssembly reads. Addresses are absolute; what depends on the rows (`column`, `from`,
 * `to`, `known`, `phi`) is an offset into what the kernel is given besides.
 *
 *     tree    0 next tree    4 steps    8 groups    12 their end    16 bytes of `known`    24 float64 expected value
 *     step    what one edge adds to the patterns of a place: `to` = `from` | ((left ^ flip) & unit)
 *             0 float64 bound; of a category set, how many codes it tells about
 *             8 column   12 from   16 to   20 flip, all ones or zeros   24 unit (1 << bit)   28 all ones where missing goes left   32 bits of the set, or 0
 *     group   0 patterns   4 features   8 their end (a feature is 8 * its column)   12 known, or −1 without a table   16 phi
 *             20 bytes of phi of one pattern   24 leaves   28 their end   32 mask of the bits above the group
 *     leaf    0 float64 value   8 path   12 its end   16 edges   20 their end   24 quadrature   28 its end
 *     path    0 float64 cover share   8 where its feature stands in phi, in bytes
 *     edge    0 shift to its node's bit in the pattern   4 is left   8 unit (1 << bit on the path)
 *     quadrature   points by two: 0, 8 float64 nodes   16, 24 float64 weights; beyond an odd number one that weighs nothing
 */
export const treeBytes = 32;
export const stepBytes = 40;
export const groupBytes = 40;
export const leafBytes = 32;
export const pathBytes = 16;
export const edgeBytes = 12;
export const quadratureBytes = 32;

/** Rows go through a tree in blocks of this many, so that what is added to stays in the first-level cache. */
export const blockRows = 64;

/** A pattern is an int32. */
const mostPatternBits = 32;

export type ShapProgram = {
  bytes: Uint8Array;
  /** Address of the first tree; the last one ends where the program does. */
  firstTree: number;
  /** Room for the patterns of a block, and for the tables of the largest tree, in bytes. */
  patternBytes: number;
  tableBytes: number;
};

/** A table of answers may have this many bits, and this many patterns for each row to explain. */
const mostTableBits = 12;
const patternsPerRow = 2;

/** How many patterns the table of a group has; 0 where it has none, and each row is computed anew. */
export function tablePatterns({ pathBits, nodes }: LeafGroup, rows: number): number {
  const patterns = 2 ** (pathBits + nodes.length);
  return patterns > 2 ** mostTableBits || patterns > patternsPerRow * rows ? 0 : patterns;
}

/** Leaves are taken together as long as the rows are many to each pattern: else filling the table is most of the work. */
const mostGroupBits = 10;
const rowsPerGroupPattern = 4;

/** The tree taken apart as suits so many rows. */
export function pathsFor(tree: Tree, rows: number): TreePaths {
  return treePaths(tree, Math.min(mostGroupBits, Math.floor(Math.log2(rows / rowsPerGroupPattern))));
}

/** The program of these trees at an address that is a multiple of 16; null where a tree branches in more ways than a pattern has bits. */
export function writeProgram(trees: readonly Tree[], rows: number, address: number): ShapProgram | null {
  const writer = new Writer(address);
  const rules = writeRules(writer);
  const firstTree = writer.end;
  let patternBytes = 0;
  let tableBytes = 0;
  for (const tree of trees) {
    const paths = pathsFor(tree, rows);
    if (paths.groups.some(({ pathBits, nodes }) => pathBits + nodes.length > mostPatternBits)) return null;
    patternBytes = Math.max(patternBytes, 4 * blockRows * paths.places);
    tableBytes = Math.max(tableBytes, writeTree(writer, tree, paths, rows, rules));
  }
  return { bytes: writer.bytes(), firstTree, patternBytes, tableBytes };
}

type QuadratureAt = { start: number; end: number };

/** Writes the quadrature rules of all depths; returns where each begins and ends, by its number of points. */
function writeRules(writer: Writer): QuadratureAt[] {
  return Array.from({ length: mostPatternBits / 2 + 1 }, (_, points) => {
    const { nodes, weights } = gaussLegendre(points);
    const pairs = Math.ceil(points / 2);
    const start = writer.reserve(pairs * quadratureBytes);
    for (let q = 0; q < 2 * pairs; q++) {
      const at = start + (q >> 1) * quadratureBytes + 8 * (q & 1);
      writer.float64(at, nodes[q] ?? 0.5);
      writer.float64(at + 16, weights[q] ?? 0);
    }
    return { start, end: start + pairs * quadratureBytes };
  });
}

/** Returns how many bytes its tables take. */
function writeTree(writer: Writer, tree: Tree, paths: TreePaths, rows: number, rules: readonly QuadratureAt[]): number {
  const { groups, places, parent, edgeNode, edgeLeft, bit } = paths;
  const head = writer.reserve(treeBytes);
  const sets = writer.reserve(4 * tree.categoryBits.length);
  tree.categoryBits.forEach((word, i) => writer.int32(sets + 4 * i, word));
  const steps = writer.end;
  for (let place = 1; place < places; place++) {
    writeStep(writer, tree, sets, edgeNode[place], {
      from: parent[place],
      to: place,
      flip: edgeLeft[place],
      bit: bit[place],
    });
  }
  for (const { place, nodes, pathBits } of groups) {
    nodes.forEach((node, k) =>
      writeStep(writer, tree, sets, node, { from: place, to: place, flip: 0, bit: pathBits + k }),
    );
  }

  const records = writer.reserve(groups.length * groupBytes);
  const patterns = groups.map((group) => tablePatterns(group, rows));
  const knownBytes = Math.ceil(patterns.reduce((sum, count) => sum + count, 0) / 8) * 8;
  let known = 0;
  let phi = knownBytes;
  groups.forEach((group, g) => {
    const record = records + g * groupBytes;
    const ownBytes = 8 * group.features.length;
    const features = writer.reserve(4 * group.features.length);
    group.features.forEach((feature, j) => writer.int32(features + 4 * j, 8 * feature));
    writer.int32(record, 4 * blockRows * group.place);
    writer.int32(record + 4, features);
    writer.int32(record + 8, features + 4 * group.features.length);
    writer.int32(record + 12, patterns[g] === 0 ? -1 : known);
    writer.int32(record + 16, phi);
    writer.int32(record + 20, ownBytes);
    const leaves = writer.reserve(group.leaves.length * leafBytes);
    writer.int32(record + 24, leaves);
    writer.int32(record + 28, leaves + group.leaves.length * leafBytes);
    writer.int32(record + 32, group.pathBits === mostPatternBits ? -1 : 2 ** group.pathBits - 1);
    group.leaves.forEach((leaf, l) => writeLeaf(writer, leaf, group.pathBits, leaves + l * leafBytes, rules));
    known += patterns[g];
    phi += ownBytes * Math.max(1, patterns[g]);
  });

  writer.int32(head, writer.end);
  writer.int32(head + 4, steps);
  writer.int32(head + 8, records);
  writer.int32(head + 12, records + groups.length * groupBytes);
  writer.int32(head + 16, knownBytes);
  writer.float64(head + 24, paths.expected);
  return phi;
}

function writeStep(
  writer: Writer,
  tree: Tree,
  sets: number,
  node: number,
  { from, to, flip, bit }: { from: number; to: number; flip: number; bit: number },
): void {
  const step = writer.reserve(stepBytes);
  const decision = tree.decision[node];
  const threshold = tree.threshold[node];
  const isCategorical = (decision & categoricalBit) !== 0;
  // where no value counts as missing, NaN is read as zero
  const missingLeft =
    isCategorical || (decision & missing.mask) === missing.nan ? (decision & defaultLeftBit) !== 0 : threshold >= 0;
  writer.int32(step + 8, tree.splitFeature[node]);
  writer.int32(step + 12, 4 * blockRows * from);
  writer.int32(step + 16, 4 * blockRows * to);
  writer.int32(step + 20, -flip);
  writer.int32(step + 24, 1 << bit);
  writer.int32(step + 28, missingLeft ? -1 : 0);
  const [start, end] = isCategorical ? tree.categoryBoundaries.subarray(threshold, threshold + 2) : [0, 0];
  writer.float64(step, isCategorical ? 32 * (end - start) : threshold);
  writer.int32(step + 32, isCategorical ? sets + 4 * start : 0);
}

function writeLeaf(
  writer: Writer,
  { value, coverShare, target, edges }: LeafPath,
  pathBits: number,
  leaf: number,
  rules: readonly QuadratureAt[],
): void {
  const depth = coverShare.length;
  const path = writer.reserve(depth * pathBytes);
  coverShare.forEach((share, j) => {
    writer.float64(path + j * pathBytes, share);
    writer.int32(path + j * pathBytes + 8, 8 * target[j]);
  });
  const first = writer.reserve(edges.length * edgeBytes);
  edges.forEach(({ node, isLeft, bit }, e) => {
    writer.int32(first + e * edgeBytes, pathBits + node);
    writer.int32(first + e * edgeBytes + 4, isLeft);
    writer.int32(first + e * edgeBytes + 8, 1 << bit);
  });
  const rule = rules[(depth + 1) >> 1];
  writer.float64(leaf, value);
  writer.int32(leaf + 8, path);
  writer.int32(leaf + 12, path + depth * pathBytes);
  writer.int32(leaf + 16, first);
  writer.int32(leaf + 20, first + edges.length * edgeBytes);
  writer.int32(leaf + 24, rule.start);
  writer.int32(leaf + 28, rule.end);
}

/** Bytes that grow, at an address of their own. */
class Writer {
  #view = new DataView(new ArrayBuffer(1 << 16));
  #length = 0;
  readonly #address: number;

  constructor(address: number) {
    this.#address = address;
  }

  get end(): number {
    return this.#address + this.#length;
  }

  /** The address of so many bytes, which are zero. */
  reserve(bytes: number): number {
    const address = this.end;
    this.#length += Math.ceil(bytes / 8) * 8;
    if (this.#length > this.#view.byteLength) {
      const grown = new Uint8Array(Math.max(this.#length, 2 * this.#view.byteLength));
      grown.set(new Uint8Array(this.#view.buffer));
      this.#view = new DataView(grown.buffer);
    }
    return address;
  }

  int32(address: number, value: number): void {
    this.#view.setInt32(address - this.#address, value, true);
  }

  float64(address: number, value: number): void {
    this.#view.setFloat64(address - this.#address, value, true);
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.#view.buffer, 0, this.#length);
  }
}
