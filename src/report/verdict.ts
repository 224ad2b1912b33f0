import { predictionsHeadline } from './charts/band-bars.ts';
import { driftHeadline } from './charts/drift-dots.ts';
import { qualityHeadline } from './charts/reconciliation.ts';
import { runHeadline } from './charts/run-graph.ts';
import type { RunFacts } from './facts.ts';
import { gatesHeadline } from './sections/gates.ts';
import { promotionHeadline } from './sections/promotion.ts';
import type { Headline } from './status.ts';

export type Verdict = Headline & { reason?: string };

/**
 * The one verdict on a run, taken from the first of these that has something to say: a state that failed, a drop that
 * was halted or does not add up, a gate that refused, the decision on a challenger, drift, predictions published, rows
 * accepted, states run. It quotes what the parts of the page say, so that a page never disagrees with itself.
 */
export function verdict(facts: RunFacts): Verdict {
  const { machines, quality, gates, promotion, drift, predictions, target = { name: 'target', unit: '' } } = facts;
  const run = machines?.length ? runHeadline(machines) : undefined;
  if (run?.status === 'failed') return run;

  const data = quality && qualityHeadline(quality);
  if (data?.status === 'failed') return data;

  const gate = gates?.length ? gatesHeadline(gates) : undefined;
  if (gate?.status === 'failed')
    return promotion ? { ...promotionHeadline(promotion), status: 'failed', reason: promotion.reason } : gate;
  if (promotion) return { ...promotionHeadline(promotion), reason: promotion.reason };
  if (drift?.features.length) return { ...driftHeadline(drift), reason: drift.action };
  if (predictions) return predictionsHeadline(predictions, target);
  return gate ?? data ?? run ?? { status: 'notice', sentence: 'This run has nothing to report' };
}
