import { decisionBand } from '../ml/calibration/decision-band.ts';
import type { Declaration } from '../usecase/declaration.ts';
import type { Actions } from './decider.ts';

/** The use case declares no decision, or has no online.ts: there is nothing to serve. */
export class NotOnline extends Error {
  override name = 'NotOnline';
}

/** The actions of the declaration and where they begin, by its costs. Throws `NotOnline`. */
export function actionsOf({ id, score }: Pick<Declaration, 'id' | 'score'>): Actions {
  const { decision } = score;
  if (!decision) {
    throw new NotOnline(
      `The use case ${id} declares no decision: write score.decision with its three actions and their costs.`,
    );
  }
  const { negative, review, positive, costs } = decision;
  return { negative, review, positive, ...decisionBand({ ...costs, review: costs.review ?? Infinity }) };
}
