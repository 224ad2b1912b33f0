import { ascending } from 'd3-array';
import type { Candidate, Estimate, MetricName, ModelComparison } from '../facts.ts';
import { bottomAxis } from '../axis.ts';
import type { Drawing, Figure, Frame } from '../figure.ts';
import { count, counted, duration, estimate, known, quantity } from '../format.ts';
import { spanning } from '../scale.ts';
import type { Scale } from '../scale.ts';
import type { Headline } from '../status.ts';
import { el, fragment } from '../svg.ts';
import type { Markup } from '../svg.ts';
import { mark, markAt, round, whisker } from './marks.ts';
import type { Shape } from './marks.ts';
import { rowsIn } from './rows.ts';

/** Candidates and baselines by the deciding metric: mean, interval and every fold. */
export function modelComparison(models: ModelComparison): Figure {
  const [metric] = models.metrics;
  const ranked = ranking(models);
  return {
    title: modelsHeadline(models).sentence,
    description: `${metric.name} ${judgedOn(models)}, ${metric.better} is better. One row per model: the mark is the mean, the line its interval, ticks are single folds. ${ranked.map(({ name, scores }) => `${name}: ${estimate(scores[0].estimate, metric.unit)}.`).join(' ')}`,
    span: 'full',
    legend: [
      { sample: mark('diamond', 0, 0, 'blue'), text: 'chosen' },
      { sample: mark('dot', 0, 0, 'ink'), text: 'candidate' },
      ...(ranked.some(({ kind }) => kind === 'compared')
        ? [{ sample: mark('ring', 0, 0, 'ink'), text: 'compared only' }]
        : []),
      { sample: mark('square', 0, 0, 'muted'), text: 'baseline' },
      { sample: el('path', { d: 'M-10 0H10M-10-4v8M10-4v8', class: 'line ink' }), text: '95 % interval' },
      { sample: el('path', { d: 'M-6-4v8M0-4v8M6-4v8', class: 'line quiet' }), text: 'fold' },
    ],
    draw: (frame) => draw(ranked, metric, frame),
    table: {
      columns: [
        { label: 'Model' },
        ...models.metrics.map(({ name }) => ({ label: `${name} (interval)`, numeric: true })),
        { label: `${metric.name} by fold`, numeric: true },
        { label: 'Training', numeric: true },
        { label: 'Parameters' },
      ],
      rows: ranked.map((candidate) => [
        candidate.name + remark(candidate),
        ...models.metrics.map(({ unit }, m) =>
          candidate.scores[m] ? estimate(candidate.scores[m].estimate, unit) : '',
        ),
        candidate.scores[0].foldValues.map((value) => quantity(value, metric.unit)).join('  '),
        candidate.trainingSeconds === undefined ? '' : duration(candidate.trainingSeconds),
        Object.entries(candidate.parameters ?? {})
          .map(([name, value]) => `${name} ${String(value)}`)
          .join(', '),
      ]),
    },
  };
}

/** Which model was chosen and by how much, in one sentence. */
export function modelsHeadline(models: ModelComparison): Headline {
  const [metric] = models.metrics;
  const ranked = ranking(models);
  const chosen = ranked.find((candidate) => candidate.chosen);
  if (!chosen) return { status: 'warned', sentence: `None of ${count(ranked.length)} models was chosen` };

  const own = chosen.scores[0].estimate;
  const result = `${chosen.name} chosen: ${metric.name} ${estimate(own, metric.unit)} ${judgedOn(models)}`;
  const rival = ranked.find((candidate) => candidate.kind !== 'baseline' && candidate !== chosen);
  if (!rival) return { status: 'passed', sentence: result };
  const other = rival.scores[0].estimate.value;
  const close = known(own.low) && known(own.high) && own.low <= other && other <= own.high;
  const comparison = close ? 'lies within that interval, at' : 'reaches';
  const named = rival.name + (rival.kind === 'compared' ? ', compared only,' : '');
  return { status: 'passed', sentence: `${result}; ${named} ${comparison} ${quantity(other, metric.unit)}` };
}

function remark({ chosen, kind }: Candidate): string {
  if (chosen) return ' (chosen)';
  return { candidate: '', compared: ' (compared only)', baseline: ' (baseline)' }[kind];
}

function judgedOn({ folds }: ModelComparison): string {
  return folds === 1 ? 'on training rows kept aside' : `over ${counted(folds, 'fold')}`;
}

/** Best first by the deciding metric, baselines last; what has no score of it is left out. */
function ranking(models: ModelComparison): Candidate[] {
  const sign = models.metrics[0].better === 'higher' ? -1 : 1;
  const value = ({ scores }: Candidate) =>
    known(scores[0].estimate.value) ? sign * scores[0].estimate.value : Infinity;
  const order = (a: Candidate, b: Candidate) =>
    Number(a.kind === 'baseline') - Number(b.kind === 'baseline') || ascending(value(a), value(b));
  return models.candidates.filter((candidate) => candidate.scores.length > 0).sort(order);
}

function draw(ranked: readonly Candidate[], metric: MetricName, frame: Frame): Drawing {
  const rows = rowsIn(frame, { names: ranked.map(({ name }) => name) });
  const scale = spanning(domain(ranked), [rows.left + 10, rows.right - 22], 0.04);
  const caption = `${metric.name}, ${metric.better} is better`;
  return {
    height: rows.bottom + 40,
    marks: [
      bottomAxis(scale, { top: rows.top, bottom: rows.bottom, unit: metric.unit, caption }),
      ranked.map((candidate, r) => {
        const { estimate: score, foldValues } = candidate.scores[0];
        const { shape, color, style } = looks(candidate);
        return fragment(
          rows.words(r, estimate(score, metric.unit), style),
          candidate.kind !== 'baseline' && folds(scale, foldValues, rows.y(r)),
          overlaps(scale.domain(), score) && whisker(scale, score.low, score.high, rows.y(r), color),
          markAt(scale, score.value, rows.y(r), shape, color),
        );
      }),
    ],
  };
}

/** A small stroke for every fold. */
function folds(scale: Scale, values: readonly number[], y: number): Markup {
  const d = values.filter(known).map((value) => `M${round(scale(value))} ${round(y - 5)}v10`);
  return el('path', { d: d.join(''), class: 'line quiet' });
}

function looks({ chosen, kind }: Candidate): { shape: Shape; color: string; style?: 'strong' | 'muted' } {
  if (kind === 'baseline') return { shape: 'square', color: 'muted', style: 'muted' };
  if (kind === 'compared') return { shape: 'ring', color: 'ink' };
  return chosen ? { shape: 'diamond', color: 'blue', style: 'strong' } : { shape: 'dot', color: 'ink' };
}

/** The span of the candidates; that of the baselines only where the candidates stay apart: else they stand at the edge. */
function domain(ranked: readonly Candidate[]): number[] {
  const values = (isBaseline: boolean) =>
    ranked
      .filter((candidate) => (candidate.kind === 'baseline') === isBaseline)
      .flatMap(({ kind, scores: [{ estimate, foldValues }] }) =>
        kind === 'baseline' ? [estimate.value] : [estimate.low, estimate.value, estimate.high, ...foldValues],
      )
      .filter(known);
  const [own, all] = [values(false), [...values(false), ...values(true)]];
  const span = (list: readonly number[]) => Math.max(...list) - Math.min(...list);
  return own.length > 0 && span(all) > 2.5 * span(own) ? own : all;
}

function overlaps([from, to]: readonly number[], { low, high }: Estimate): boolean {
  return high >= from && low <= to;
}
