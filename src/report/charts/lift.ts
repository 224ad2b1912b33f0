import { line } from 'd3-shape';
import type { Calibration, CalibrationGroup, Quantity } from '../facts.ts';
import { label, leftAxis } from '../axis.ts';
import type { Drawing, Figure, Frame } from '../figure.ts';
import { count, estimate, known, percent, quantity } from '../format.ts';
import { spanning } from '../scale.ts';
import { el } from '../svg.ts';
import { groupName } from './calibration-curve.ts';
import { mark, swatch } from './marks.ts';

/** Mean actual by group of predicted value, lowest first: how far the model tells low from high. */
export function lift({ groups, gini }: Calibration, target: Quantity): Figure {
  const average = weightedMean(groups);
  return {
    title: liftSentence(groups, average, target),
    description: `Bars: mean actual ${target.name} in ${count(groups.length)} groups of equal size by prediction, lowest first. Diamonds on a dashed line: mean prediction. The level line is the average of all.`,
    span: 'half',
    legend: [
      { sample: swatch('fill bar'), text: 'actual' },
      {
        sample: el(
          'g',
          {},
          el('path', { d: 'M-12 0H12', class: 'line orange dashed' }),
          mark('diamond', 0, 0, 'orange'),
        ),
        text: 'predicted',
      },
      { sample: el('path', { d: 'M-10 0H10', class: 'line quiet' }), text: 'average' },
    ],
    note: gini === undefined ? undefined : `Gini of the ordered Lorenz curve: ${estimate(gini, '')}.`,
    draw: (frame) => draw(groups, average, target, frame),
    table: {
      columns: [
        { label: 'Group by prediction' },
        { label: 'Rows', numeric: true },
        { label: 'Mean actual', numeric: true },
        { label: 'Mean predicted', numeric: true },
        { label: 'Actual against average', numeric: true },
      ],
      rows: groups.map((group, g) => [
        groupName(g, groups.length),
        count(group.rows),
        quantity(group.meanActual.value, target.unit),
        quantity(group.meanPredicted, target.unit),
        percent(group.meanActual.value / average, 0),
      ]),
    },
  };
}

function liftSentence(groups: readonly CalibrationGroup[], average: number, { name }: Quantity): string {
  const [low, top] = [groups[0], groups.at(-1)].map((group) => (group?.meanActual.value ?? NaN) / average);
  if (groups.length < 2 || !known(low) || !known(top))
    return `Too few rows to see how far predictions separate ${name}`;
  const times = (ratio: number) => quantity(ratio, '', 1);
  const falls = groups.filter((group, g) => g > 0 && group.meanActual.value < groups[g - 1].meanActual.value).length;
  const order = falls === 0 ? 'in order throughout' : `out of order ${falls === 1 ? 'once' : `${count(falls)} times`}`;
  return `The ${groupName(groups.length - 1, groups.length)} by prediction has ${times(top)} times the average ${name}, the ${groupName(0, groups.length)} ${times(low)} times, ${order}`;
}

function draw(groups: readonly CalibrationGroup[], average: number, { name, unit }: Quantity, frame: Frame): Drawing {
  const [left, right, top, bottom] = [52, frame.width - 6, 8, 258];
  const y = spanning(
    [0, average, ...groups.flatMap((group) => [group.meanActual.value, group.meanPredicted])],
    [bottom, top],
  );
  const step = (right - left) / Math.max(1, groups.length);
  const x = (g: number) => left + (g + 0.5) * step;
  const zero = y(0);
  const predicted = line<CalibrationGroup>(
    (_, g) => x(g),
    (group) => y(group.meanPredicted),
  )
    .defined((group) => known(group.meanPredicted))
    .digits(1)(groups);
  return {
    height: bottom + 40,
    marks: [
      leftAxis(y, { left, right, unit }),
      groups.map((group, g) => [
        known(group.meanActual.value) &&
          el('rect', {
            x: x(g) - step * 0.36,
            y: Math.min(zero, y(group.meanActual.value)),
            width: step * 0.72,
            height: Math.abs(zero - y(group.meanActual.value)),
            class: 'fill bar',
          }),
        label(x(g), bottom + 16, count(g + 1), { anchor: 'middle', class: 'muted' }),
      ]),
      known(average) && el('line', { x1: left, x2: right, y1: y(average), y2: y(average), class: 'line quiet' }),
      predicted !== null && el('path', { d: predicted, class: 'line orange dashed' }),
      groups.map((group, g) => known(group.meanPredicted) && mark('diamond', x(g), y(group.meanPredicted), 'orange')),
      label((left + right) / 2, bottom + 33, `groups by prediction, lowest first`, {
        anchor: 'middle',
        class: 'muted',
      }),
      label(left + 6, top + 12, `mean ${name}`, { class: 'muted' }),
    ],
  };
}

function weightedMean(groups: readonly CalibrationGroup[]): number {
  const rows = groups.reduce((sum, group) => sum + group.rows, 0);
  return groups.reduce((sum, group) => sum + group.rows * group.meanActual.value, 0) / rows;
}
