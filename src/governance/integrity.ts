import { type GateResult, plainGate } from './gate.ts';

/** Whether the stored model is the one that was evaluated, and predicts at all. Each fault has a gate of its own. */
export type ModelIntegrity = {
  /** Files that are not as published (`verifyVersion`). */
  digestFaults: readonly { file: string; expected: string; found: string }[];
  /** Why the stored model could not be loaded; null where it could. */
  unreadable: string | null;
  /** Feature names in the order in which the data give them and the model reads them. */
  features: { expected: readonly string[]; found: readonly string[] };
  predictions: PredictionCheck;
};

export type PredictionCheck = { rows: number; notFinite: number; smallest: number; largest: number };

/** Counts what no business rule could use; the extremes are over the finite predictions. */
export function checkPredictions(predictions: Float64Array): PredictionCheck {
  const check: PredictionCheck = { rows: predictions.length, notFinite: 0, smallest: Infinity, largest: -Infinity };
  for (const prediction of predictions) {
    if (!Number.isFinite(prediction)) check.notFinite++;
    else {
      check.smallest = Math.min(check.smallest, prediction);
      check.largest = Math.max(check.largest, prediction);
    }
  }
  return check;
}

export function integrityGates(integrity: ModelIntegrity): GateResult[] {
  const { digestFaults, unreadable, features, predictions } = integrity;
  const { rows, notFinite, smallest, largest } = predictions;
  const varies = largest > smallest;
  const featureFault = firstDifference(features.expected, features.found);
  return [
    plainGate(
      'artefactDigest',
      digestFaults.length === 0,
      'every file of the version as published',
      digestFaults.length === 0
        ? 'Every file has the SHA-256 of its manifest.'
        : digestFaults.map(({ file, expected, found }) => `${file} should be ${expected} and is ${found}.`).join(' '),
    ),
    plainGate(
      'artefactReadable',
      unreadable === null,
      'the stored model loads',
      unreadable ?? 'The stored model loads.',
    ),
    plainGate(
      'featureOrder',
      featureFault === null,
      'the features of the data, in their order',
      featureFault ?? `All ${features.expected.length} features stand in their order.`,
    ),
    plainGate(
      'finitePredictions',
      rows > 0 && notFinite === 0,
      'a finite prediction for every row',
      `${notFinite} of ${rows} predictions are not finite numbers.`,
    ),
    plainGate(
      'predictionsVary',
      varies,
      'not the same prediction for everybody',
      varies
        ? 'The predictions differ between rows.'
        : 'The model predicts one number for every row, whatever the row says.',
    ),
  ];
}

function firstDifference(expected: readonly string[], found: readonly string[]): string | null {
  if (expected.length !== found.length) {
    return `The data have ${expected.length} features and the model reads ${found.length}.`;
  }
  const at = expected.findIndex((name, i) => name !== found[i]);
  return at < 0 ? null : `Feature ${at + 1} is ${expected[at]} in the data and ${found[at]} in the model.`;
}
