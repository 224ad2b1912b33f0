import { decisionBand } from '../ml/calibration/decision-band.ts';
import type { Declaration } from './declaration.ts';
import type { Task } from './metrics.ts';

type Labelled = Pick<Declaration, 'label'>;

/** The columns of the feature table that hold the truth: one, or one for each output. */
export function labelColumns({ label }: Labelled): string[] {
  return label.outputs ?? [label.column!];
}

/** The names of a model's outputs where it has several; empty for one. */
export function outputNames({ label }: Labelled): string[] {
  return label.outputs ?? [];
}

/** What the predictions are of, in a word: the label's column, or the name given to several. */
export function labelName({ label }: Labelled): string {
  return label.column ?? label.name!;
}

export function taskOf({ label }: Labelled): Task {
  if (label.outputs) return 'ranking';
  return label.task;
}

/** A band of predictions; the last one is open. */
export type Band = { name: string; below?: number };

/**
 * The bands that a prediction may fall into: as declared, or, for an event, those of least expected cost: below `reviewFrom` the
 * decision is negative, from `positiveFrom` on positive, and a person decides what lies between.
 */
export function bandsOf({ score }: Pick<Declaration, 'score'>): Band[] {
  const { bands, decision } = score;
  if (bands) return bands;
  const { reviewFrom, positiveFrom } = decisionBand(decision!.costs);
  const open = { name: decision!.positive };
  const negative = { name: decision!.negative, below: reviewFrom };
  if (reviewFrom === positiveFrom) return [negative, open];
  return [negative, { name: decision!.review, below: positiveFrom }, open];
}

/** From which probability on the decision is positive: the threshold of precision, recall and their like. */
export function decisionThreshold(declaration: Pick<Declaration, 'score'>): number {
  const { decision } = declaration.score;
  if (decision) return decisionBand(decision.costs).positiveFrom;
  return bandsOf(declaration).at(-2)?.below ?? 0.5;
}

/** From which prediction on a row is selected, for comparisons between groups. */
export function selectedFrom(declaration: Pick<Declaration, 'score' | 'fairness'>): number {
  return declaration.fairness?.selectedFrom ?? decisionThreshold(declaration);
}
