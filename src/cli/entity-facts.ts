import { readVersion } from '../governance/registry.ts';
import type { Ports } from '../ports/stage-ports.ts';
import type { EntityFacts } from '../report/entity-page.ts';
import type { Explanation } from '../report/facts.ts';
import type { EntityExplanation } from '../stages/common/explain-entity.ts';
import { factsOf } from '../stages/common/facts.ts';
import type { Declaration } from '../usecase/declaration.ts';
import { cellWords, outcomeWords, predictedSentence } from './explanation-view.ts';

/** What the page of one entity tells: its explanation, and the swarms that were kept when the version was judged. */
export async function entityFacts(
  ports: Ports,
  explanation: EntityExplanation,
  declaration: Declaration,
): Promise<EntityFacts> {
  const { useCase, entityKey, eventTime, version, scale, recommended } = explanation;
  const { lineage } = await readVersion(ports.registry, useCase, version);
  const judged = await factsOf(ports, { useCase, runId: lineage.runId }, 'Evaluate');
  const swarmOf = (output: string): Explanation | undefined => {
    const own = judged?.outputs?.find(({ name }) => name === output);
    const rows = judged?.explanation?.rows ?? 0;
    return own ? { rows, baseValue: 0, features: own.features } : judged?.explanation;
  };
  return {
    useCase,
    question: declaration.question,
    entityKey,
    eventTime,
    version,
    prediction: `${predictedSentence(explanation, declaration)}.`,
    outputs: explanation.outputs.map(({ name, expected, value, contributions }) => ({
      target: { name, unit: scale },
      expected,
      value,
      contributions: contributions.map((one) => ({ ...one, value: cellWords(one.value) })),
      swarm: swarmOf(name),
    })),
    ...(recommended && {
      offers: {
        ...recommended,
        offers: recommended.offers.map((offer) => ({
          name: `${offer.name} (${offer.offerId})`,
          rank: offer.rank === null ? '' : String(offer.rank),
          weightedScore: offer.weightedScore,
          score: offer.score,
          outcome: outcomeWords(offer),
          reason: offer.reason ?? '',
        })),
      },
    }),
  };
}
