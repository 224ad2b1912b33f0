import { psi } from '../ml/stats/psi.ts';
import type { ShadowDeclaration } from '../usecase/declaration.ts';
import { type GateResult, atMostGate, plainGate } from './gate.ts';
import { say, sayShare } from './text.ts';

/** Counts of predictions over the bins between these edges: edge i closes bin i. */
export type ScoreBins = { edges: number[]; counts: number[] };

/** What was seen of a version in shadow; plain JSON, of counts only. */
export type ShadowEvidence = {
  format: 1;
  version: number;
  runs: number;
  rows: number;
  /** Rows that it left without a prediction. */
  failures: number;
  /** Its predictions on its own frozen test set and in shadow; null where the version knows nothing of the former. */
  scores: { edges: number[]; test: number[]; shadow: number[] } | null;
  /** The champion on those of the same rows that it has scored; null where there was none. */
  champion: {
    version: number;
    rows: number;
    /** Shadow minus champion. */
    meanDifference: number | null;
    /** The champion's predictions over the same edges. */
    scores: number[];
    /** By band or decision: the champion's, and the shadow's. */
    decisions: { champion: string; shadow: string; rows: number }[];
  } | null;
};

/** Whether that is as much as the use case wants to see before it judges. */
export function isEnough(
  { runs, minimumRows }: Pick<ShadowDeclaration, 'runs' | 'minimumRows'>,
  evidence: ShadowEvidence,
): boolean {
  const compared = evidence.champion?.rows ?? evidence.rows;
  return evidence.runs >= runs && evidence.rows >= minimumRows && compared >= minimumRows;
}

/** The share of the rows of both that the version would have decided otherwise than the champion; NaN of no row. */
export function differingShare({ rows, decisions }: NonNullable<ShadowEvidence['champion']>): number {
  const differing = decisions.filter(({ champion, shadow }) => champion !== shadow);
  return differing.reduce((sum, cell) => sum + cell.rows, 0) / rows;
}

/** One gate for each declared limit on what was seen in shadow. */
export function shadowGates(declared: ShadowDeclaration, evidence: ShadowEvidence): GateResult[] {
  const { runs, rows, failures, scores, champion } = evidence;
  const asked = `${counted(declared.runs, 'run')} and ${counted(declared.minimumRows, 'row')} in shadow`;
  const beside = champion
    ? ` Version ${champion.version}, the champion, has scored ${say(champion.rows)} of them.`
    : ' There is no champion to compare with.';
  const besideChampion =
    scores && champion
      ? `, and of ${say(psi(champion.scores, scores.shadow))} against those of the champion in the same batches`
      : '';
  const index = scores ? psi(scores.test, scores.shadow) : NaN;
  return [
    plainGate(
      'shadowSeen',
      isEnough(declared, evidence),
      asked,
      `${counted(rows, 'row')} in ${counted(runs, 'run')}.${beside}`,
    ),
    atMostGate('shadowFailures', rows === 0 ? NaN : failures / rows, declared.maxFailureShare, {
      asked: 'share of rows without a prediction',
      found: `${say(failures)} of ${counted(rows, 'row')} without a prediction.`,
      constantPasses: true,
    }),
    atMostGate('shadowPrediction', index, declared.prediction.psi, {
      asked: 'PSI of the predictions against the frozen test set',
      found: Number.isNaN(index)
        ? 'How the predictions are distributed is not known.'
        : `The predictions have a PSI of ${say(index)} against those of the frozen test set${besideChampion}.`,
      constantPasses: true,
    }),
    ...(declared.decisions && champion
      ? [
          atMostGate('shadowDecisions', differingShare(champion), declared.decisions.differ, {
            asked: 'share of rows decided otherwise than by the champion',
            found: `${sayShare(differingShare(champion))} of ${counted(champion.rows, 'row')} would be decided otherwise than by version ${champion.version}; predictions differ by ${say(champion.meanDifference ?? NaN)} on average.`,
            constantPasses: false,
          }),
        ]
      : []),
  ];
}

const counted = (count: number, noun: string) => `${say(count)} ${noun}${count === 1 ? '' : 's'}`;
