import type { QuantisationEvidence } from '../ml/formats/tflite/compare-quantised.ts';
import type { Declaration } from '../usecase/declaration.ts';
import { type GateResult, atMostGate } from './gate.ts';
import { say, sayShare } from './text.ts';

/**
 * Whether a network that is released in fewer bits still decides as the one in float: mean difference of the scores, decisions
 * that flip at any threshold, and whether it is smaller for it. Empty for a model that was not quantised.
 */
export function quantisationGates(
  { models }: Pick<Declaration, 'models'>,
  evidence: QuantisationEvidence | null,
): GateResult[] {
  const declared = models.find((model) => model.kind === 'dense')?.quantise;
  if (!declared || !evidence) return [];
  const { scoreDifference, flips, bytes, rows } = evidence;
  const worst = flips.reduce((most, flip) => (flip.share > most.share ? flip : most), {
    threshold: NaN,
    share: 0,
    toAbove: 0,
    toBelow: 0,
  });
  // a constant is quantised without any loss, and passes them all
  return [
    atMostGate('quantisedScores', scoreDifference.mean, declared.maxMeanDifference, {
      asked: 'mean difference of the scores',
      found: `Scores differ by ${say(scoreDifference.mean)} on average and by ${say(scoreDifference.max)} at most, on ${say(rows)} rows.`,
      constantPasses: true,
    }),
    atMostGate('quantisedDecisions', worst.share, declared.maxFlipShare, {
      asked: 'share of decisions that flip',
      found:
        worst.share === 0
          ? `No decision of ${say(rows)} flips.`
          : `At ${say(worst.threshold)}, where most decisions flip, it is ${sayShare(worst.share)} of ${say(rows)}: ${say(worst.toAbove)} upwards and ${say(worst.toBelow)} downwards.`,
      constantPasses: true,
    }),
    atMostGate('quantisedSize', bytes.constantsRatio, declared.maxSizeRatio, {
      asked: 'size of the weights over float',
      found: `Weights and biases take ${say(bytes.integer.constants)} bytes instead of ${say(bytes.float.constants)}; the whole file ${say(bytes.integer.file)} instead of ${say(bytes.float.file)}.`,
      constantPasses: true,
    }),
  ];
}
