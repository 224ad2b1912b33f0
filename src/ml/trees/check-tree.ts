import { InvalidModel, type Tree, categoricalBit } from './model.ts';

/** Throws InvalidModel unless the nodes form one tree over known features: so walking it always ends at a leaf. */
export function checkTree(tree: Tree, where: string, featureCount: number): void {
  const nodes = tree.leaves - 1;
  const seenNodes = new Uint8Array(nodes);
  const seenLeaves = new Uint8Array(tree.leaves);
  for (let node = 0; node < nodes; node++) {
    const feature = tree.splitFeature[node];
    if (!(feature >= 0 && feature < featureCount)) {
      throw new InvalidModel(`In ${where} node ${node} splits on feature ${feature} of ${featureCount}.`);
    }
    for (const child of [tree.left[node], tree.right[node]]) {
      const seen = child >= 0 ? seenNodes : seenLeaves;
      const at = child >= 0 ? child : ~child;
      if (!(at < seen.length && (child < 0 || child > node) && seen[at]++ === 0)) {
        throw new InvalidModel(`In ${where} node ${node} has child ${child}, which does not make a tree.`);
      }
    }
    if ((tree.decision[node] & categoricalBit) !== 0) {
      const set = tree.threshold[node];
      if (!(Number.isInteger(set) && set >= 0 && set < tree.categoryBoundaries.length - 1)) {
        throw new InvalidModel(`In ${where} node ${node} names category set ${set}, which is not there.`);
      }
    }
  }
}
