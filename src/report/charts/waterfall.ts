import type { Quantity, TypicalCase } from '../facts.ts';
import type { Drawing, Figure, Frame } from '../figure.ts';
import { count, counted, known, precision, quantity, signed } from '../format.ts';
import { spanning } from '../scale.ts';
import { el } from '../svg.ts';
import { round } from './marks.ts';
import { rowsIn } from './rows.ts';

type Step = { feature: string; value?: string; from: number; to: number };

const mostSteps = 8;

/** From the expected value to the prediction of a typical case, one feature at a time, strongest first. */
export function waterfall(example: TypicalCase, baseValue: number, target: Quantity): Figure {
  const steps = stepsOf(example, baseValue);
  const [strongest] = steps;
  const because = strongest ? `; ${stepName(strongest)} ${adds(strongest, target)}` : '';
  return {
    title: `A typical ${example.group}: ${quantity(example.prediction, target.unit)} against ${quantity(baseValue, target.unit)} for everyone${because}`,
    description: `Starting from the expected value, each bar is the mean contribution of one feature in a group of ${counted(example.rows, 'row')}; a bar that points right raises the prediction, one that points left lowers it.`,
    span: 'half',
    legend: [
      { sample: el('path', { d: 'M-10-4H5L10 0L5 4H-10z', class: 'fill orange' }), text: 'raises' },
      { sample: el('path', { d: 'M10-4H-5L-10 0L-5 4H10z', class: 'fill blue' }), text: 'lowers' },
    ],
    note: `Means over ${counted(example.rows, 'row')}, with their median or commonest values: nobody's own case.`,
    draw: (frame) => draw(steps, example, baseValue, target, frame),
    table: {
      columns: [
        { label: 'Feature' },
        { label: 'Typical value', numeric: true },
        { label: 'Contribution', numeric: true },
      ],
      rows: [
        ['Expected value', '', quantity(baseValue, target.unit)],
        ...steps.map((step) => [step.feature, step.value ?? '', signed(step.to - step.from, target.unit)]),
        ['Prediction', '', quantity(example.prediction, target.unit)],
      ],
    },
  };
}

/** The strongest contributions in turn, what is left as one step, so that the last one ends at the prediction. */
function stepsOf({ contributions }: TypicalCase, baseValue: number): Step[] {
  const ranked = contributions
    .filter(({ contribution }) => known(contribution))
    .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  const rest = ranked.slice(mostSteps);
  const named: TypicalCase['contributions'][number][] = ranked.slice(0, mostSteps);
  if (rest.length > 0) {
    const contribution = rest.reduce((sum, { contribution }) => sum + contribution, 0);
    named.push({ feature: `${count(rest.length)} others`, contribution });
  }
  let at = known(baseValue) ? baseValue : 0;
  return named.map(({ feature, value, contribution }) => ({ feature, value, from: at, to: (at += contribution) }));
}

function draw(
  steps: readonly Step[],
  { prediction }: TypicalCase,
  baseValue: number,
  { unit }: Quantity,
  frame: Frame,
): Drawing {
  const rows = rowsIn(frame, { names: ['expected value', ...steps.map(stepName), 'prediction'], rowHeight: 18 });
  const x = spanning([baseValue, prediction, ...steps.map((step) => step.to)], [6, frame.width - 6]);
  const last = steps.length + 1;
  const decimals = precision([baseValue, prediction], unit);
  const point = (row: number, value: number) =>
    known(value) &&
    el('line', { x1: x(value), x2: x(value), y1: rows.y(row) - 6, y2: rows.y(row) + 6, class: 'line thick ink' });
  return {
    height: rows.bottom,
    marks: [
      steps.map((step, s) =>
        el('line', {
          x1: x(step.from),
          x2: x(step.from),
          y1: rows.y(s) + 4,
          y2: rows.y(s + 1) + 4,
          class: 'line rule',
        }),
      ),
      rows.words(0, quantity(baseValue, unit, decimals), 'muted'),
      point(0, baseValue),
      steps.map((step, s) => [
        rows.words(s + 1, signed(step.to - step.from, unit, decimals)),
        el('path', {
          d: arrow(x(step.from), x(step.to), rows.y(s + 1)),
          class: step.to < step.from ? 'fill blue' : 'fill orange',
        }),
      ]),
      rows.words(last, quantity(prediction, unit, decimals), 'strong'),
      point(last, prediction),
    ],
  };
}

function stepName({ feature, value }: Step): string {
  return value === undefined ? feature : `${feature} = ${value}`;
}

function adds({ from, to }: Step, { unit }: Quantity): string {
  return `${to < from ? 'takes off' : 'adds'} ${quantity(Math.abs(to - from), unit)}`;
}

/** A bar whose end points the way it goes. */
function arrow(from: number, to: number, y: number): string {
  const tip = Math.sign(to - from) * Math.min(5, Math.abs(to - from));
  return `M${round(from)} ${round(y - 4)}H${round(to - tip)}L${round(to)} ${round(y)}L${round(to - tip)} ${round(y + 4)}H${round(from)}z`;
}
