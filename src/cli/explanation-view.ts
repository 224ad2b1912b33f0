import type { Json } from '../data/json.ts';
import { say, sayShare } from '../governance/text.ts';
import type { EntityExplanation, ExplainedOutput, RecommendedOffer } from '../stages/common/explain-entity.ts';
import type { Declaration } from '../usecase/declaration.ts';
import { taskOf } from '../usecase/label.ts';
import { type Output, cellText, tableLines } from './output.ts';

/** An explanation of one entity for a terminal: what is predicted, a waterfall for each output, and what became of each offer. */
export function explanationLines(
  explanation: EntityExplanation,
  declaration: Declaration,
  { features, output: { style } }: { features: number; output: Pick<Output, 'style'> },
): string[] {
  const { useCase, entityKey, eventTime, version, outputs, recommended, scale } = explanation;
  return [
    style('bold', `${useCase}: ${entityKey}`),
    declaration.question,
    `As known at ${eventTime.slice(0, 10)}, by version ${version}: ${predictedSentence(explanation, declaration)}.`,
    ...storedLines(explanation),
    ...outputs.flatMap((explained) => ['', ...waterfallLines(explained, scale, features, style)]),
    ...(recommended ? ['', ...offerLines(recommended, style)] : []),
  ];
}

/** `probability 12.3 %, standard` and its like. */
export function predictedSentence({ scored }: EntityExplanation, declaration: Declaration): string {
  const { unit } = declaration.label;
  const number = (name: string) => scored[name] as number;
  const flags = Object.keys(declaration.score.flags).filter((flag) => scored[flag] === true);
  const said = [scored['category'] as string, ...flags].map((word) => word.replaceAll('_', ' ')).join(', ');
  switch (taskOf(declaration)) {
    case 'binary':
      return `probability ${sayShare(number('adjusted_prediction'))}, ${said}`;
    case 'ranking':
      return `${say(number('prediction'))} ${unit} on average over the outputs, ${said}`;
    default: {
      const low = scored['prediction_lower_bound'];
      const interval = low === undefined ? '' : ` (${say(low as number)} to ${say(number('prediction_upper_bound'))})`;
      return `${say(number('adjusted_prediction'))} ${unit}${interval}, ${said}`;
    }
  }
}

function storedLines({ stored }: EntityExplanation): string[] {
  return stored.map(
    ({ runId, version, at, eventTime, prediction, category }) =>
      `Stored by ${runId} on ${at.slice(0, 10)}: ${say(prediction)}, ${category}, as known at ${eventTime.slice(0, 10)}, by version ${version}.`,
  );
}

/** Characters that the widest way from the expected value to the prediction takes. */
const barWidth = 32;

/** From the expected value to the raw score, strongest feature first; the rest in one line, so that all adds up. */
function waterfallLines(
  { name, expected, value, contributions }: ExplainedOutput,
  scale: string,
  features: number,
  style: Output['style'],
): string[] {
  const told = contributions.slice(0, features);
  const rest = contributions.slice(features);
  const steps = [
    ...told.map(({ feature, value: cell, contribution }) => ({
      text: `${feature} = ${cellWords(cell)}`,
      by: contribution,
    })),
    ...(rest.length > 0
      ? [
          {
            text: `${rest.length} other feature${rest.length === 1 ? '' : 's'}`,
            by: rest.reduce((sum, { contribution }) => sum + contribution, 0),
          },
        ]
      : []),
  ];
  const ends: number[] = [expected];
  for (const { by } of steps) ends.push(ends.at(-1)! + by);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const at = (end: number) => Math.round(((end - low) / (high - low || 1)) * barWidth);
  const width = Math.max(...steps.map(({ text }) => text.length), 'for everyone'.length);
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(high - low || 1)));
  const number = (size: number, sign = '') =>
    `${sign}${size.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })}`.padStart(
      10,
    );
  return [
    style('bold', `${name}: ${say(value)} ${scale}`),
    `${'for everyone'.padEnd(width)} ${number(expected)}  ${' '.repeat(at(expected))}│`,
    ...steps.map(({ text, by }, i) => {
      const [from, to] = [at(ends[i]), at(ends[i + 1])];
      const bar = (by > 0 ? '▶' : '◀').repeat(Math.max(1, Math.abs(to - from)));
      const drawn = ' '.repeat(Math.min(from, to)) + style(by > 0 ? 'yellow' : 'blue', bar);
      return `${text.padEnd(width)} ${number(Math.abs(by), by > 0 ? '+' : '−')}  ${drawn}`;
    }),
    `${'together'.padEnd(width)} ${number(value)}  ${' '.repeat(at(value))}│`,
  ];
}

/** A feature's value in words. */
export const cellWords = (cell: Json): string =>
  cell === null ? 'unknown' : typeof cell === 'number' ? say(cell) : cellText(cell);

/** How an offer is sent, or which rule keeps it. */
export const outcomeWords = ({ outcome, channel }: RecommendedOffer): string =>
  outcome === 'sent' ? `sent by ${channel}` : outcome.replaceAll('-', ' ');

function offerLines({ runId, at, offers }: NonNullable<EntityExplanation['recommended']>, style: Output['style']) {
  const kept = offers.filter(({ rank }) => rank !== null);
  const removed = offers.filter(({ rank }) => rank === null);
  const isHeldBack = kept.some(({ outcome }) => outcome === 'holdout');
  return [
    style('bold', `Recommended by ${runId} on ${at.slice(0, 10)}`),
    ...(isHeldBack ? ['This member is in the holdout: nothing is sent; this is what would have been.'] : []),
    ...(kept.length === 0 ? ['Nothing.'] : []),
    ...kept.flatMap(({ rank, offerId, name, score, weightedScore, channel, reason }) => [
      `${rank}. ${name} (${offerId}), ${say(weightedScore)} (${say(score)} by its priority), by ${channel}`,
      ...(reason ? [`   ${reason}`] : []),
    ]),
    '',
    style('bold', 'Not recommended'),
    ...tableLines(
      ['offer', 'weighted', 'score', 'removed by'],
      removed.map((offer) => [
        `${offer.offerId} ${offer.name}`,
        offer.weightedScore.toFixed(1),
        offer.score.toFixed(1),
        outcomeWords(offer),
      ]),
    ),
  ];
}
