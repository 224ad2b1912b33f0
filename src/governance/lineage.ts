/** Where a model comes from: enough to make the same bytes again, and to tell which data every number rests on. */
export type Lineage = {
  /** The run that trained it. */
  runId: string;
  algorithm: string;
  parameters: Record<string, number | string | boolean>;
  seed: number;
  /** In the order in which the model reads them. */
  features: string[];
  /** Version of each source's data contract. */
  contractVersions: Record<string, string>;
  /** Version of the features table that the frozen sets were cut from. */
  dataVersion: number;
  /** SHA-256 of the frozen training set, and of the frozen test set that no training saw. */
  trainDigest: string;
  testDigest: string;
  trainRows: number;
  testRows: number;
  codeCommit: string;
};

/** What is missing in it, one phrase each; a version with gaps in its lineage cannot be made again. */
export function lineageGaps(lineage: Lineage): string[] {
  const gaps: string[] = [];
  const need = (present: boolean, what: string) => {
    if (!present) gaps.push(what);
  };
  need(lineage.runId !== '', 'the training run');
  need(lineage.algorithm !== '', 'the algorithm');
  need(Object.keys(lineage.parameters).length > 0, 'the parameters');
  need(Number.isFinite(lineage.seed), 'the seed');
  need(lineage.features.length > 0, 'the feature list');
  need(Object.keys(lineage.contractVersions).length > 0, 'the contract versions');
  need(lineage.dataVersion >= 0, 'the data version');
  need(isDigest(lineage.trainDigest), "the training set's digest");
  need(isDigest(lineage.testDigest), "the test set's digest");
  need(lineage.trainRows > 0, 'the training rows');
  need(lineage.testRows > 0, 'the test rows');
  need(lineage.codeCommit !== '', 'the code commit');
  return gaps;
}

function isDigest(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}
