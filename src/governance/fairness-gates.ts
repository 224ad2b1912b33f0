import type { FairnessAssessment } from '../ml/fairness/assess.ts';
import type { Estimate } from '../ml/metrics/metric.ts';
import type { Declaration } from '../usecase/declaration.ts';
import type { GateResult } from './gate.ts';
import { say, sayEstimate, stored } from './text.ts';

/**
 * One gate for each declared fairness limit and sensitive column. The point value decides and the interval is shown, as in every
 * gate with a limit. A declared limit that could not be measured fails: with fewer than two groups there is nothing to compare.
 */
export function fairnessGates(
  { fairness }: Pick<Declaration, 'fairness'>,
  assessments: readonly FairnessAssessment[],
): GateResult[] {
  if (!fairness) return [];
  return fairness.over.flatMap((feature) => {
    const found = assessments.find(({ table }) => table.feature === feature);
    return figures.flatMap(({ limit, title, of }) => {
      const declared: { min?: number; max?: number } | undefined = fairness[limit];
      return declared ? [gateOf(`${limit}_${feature}`, `${title} over ${feature}`, declared, found && of(found))] : [];
    });
  });
}

const unmeasured: Estimate = { value: NaN, low: NaN, high: NaN };

const figures = [
  {
    limit: 'selectionRatio',
    title: 'ratio of the selection rates',
    of: ({ demographicParity }: FairnessAssessment) => demographicParity?.ratio,
  },
  {
    limit: 'selectionDifference',
    title: 'difference of the selection rates',
    of: ({ demographicParity }: FairnessAssessment) => demographicParity?.difference,
  },
  {
    limit: 'oddsDifference',
    title: 'difference of the odds',
    of: ({ equalizedOdds }: FairnessAssessment) => equalizedOdds?.difference,
  },
  {
    limit: 'groupMeanVariation',
    title: 'variation of the mean predictions',
    of: ({ groupMeanVariation: value }: FairnessAssessment) => ({ ...unmeasured, value }),
  },
] as const;

function gateOf(
  name: string,
  title: string,
  { min, max }: { min?: number; max?: number },
  estimate: Estimate = unmeasured,
): GateResult {
  const { value, low, high } = estimate;
  const limit = min ?? max ?? NaN;
  const undecided = low < limit && limit < high ? ' The limit lies inside the interval.' : '';
  return {
    name,
    passed: value >= (min ?? -Infinity) && value <= (max ?? Infinity),
    evidence: {
      value: stored(value),
      low: stored(low),
      high: stored(high),
      limit,
      requirement: `${title} ${min === undefined ? '≤' : '≥'} ${say(limit)}`,
      text: Number.isNaN(value)
        ? `The ${title} was not measured: fewer than two groups are large enough.`
        : `The ${title} is ${sayEstimate(estimate)}.${undecided}`,
      // a constant treats everybody alike
      constantPasses: true,
    },
  };
}
