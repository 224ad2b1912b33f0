import { area, line } from 'd3-shape';
import type { Quantity, ResidualGroup, Residuals } from '../facts.ts';
import { label, leftAxis } from '../axis.ts';
import type { Drawing, Figure, Frame } from '../figure.ts';
import { count, known, quantity, signed } from '../format.ts';
import { spanning } from '../scale.ts';
import { el } from '../svg.ts';
import { groupName } from './calibration-curve.ts';
import { mark, swatch } from './marks.ts';

/** Quantiles of the residuals by group of predicted value: bias is a fan off its zero line, unequal spread a fan that opens. */
export function residualFan({ groups, medianAbsolute }: Residuals, target: Quantity): Figure {
  return {
    title: residualSentence(groups, medianAbsolute, target),
    description: `Residuals (actual minus predicted ${target.name}) in ${count(groups.length)} groups of equal size by prediction, lowest first: median, middle half, and the span from the 10th to the 90th percentile.`,
    span: 'full',
    legend: [
      { sample: mark('dot', 0, 0, 'blue'), text: 'median' },
      { sample: swatch('band inner'), text: 'middle half' },
      {
        sample: swatch('band outer'),
        text: '10th to 90th percentile',
      },
    ],
    draw: (frame) => draw(groups, target, frame),
    table: {
      columns: [
        { label: 'Group by prediction' },
        ...['Rows', '10 %', '25 %', 'Median', '75 %', '90 %'].map((label) => ({ label, numeric: true })),
      ],
      rows: groups.map((group, g) => [
        groupName(g, groups.length),
        count(group.rows),
        ...[group.p10, group.p25, group.p50, group.p75, group.p90].map((value) => signed(value, target.unit)),
      ]),
    },
  };
}

function residualSentence(groups: readonly ResidualGroup[], medianAbsolute: number, { unit, name }: Quantity): string {
  const half = `Half of all predictions are within ${quantity(medianAbsolute, unit)} of the actual ${name}`;
  const [first, last] = [groups[0], groups.at(-1)].map((group) => (group ? group.p75 - group.p25 : NaN));
  if (groups.length < 2 || !known(first) || !known(last) || first <= 0 || last <= 0) return half;
  const ratio = last / first;
  if (ratio > 1.5) return `${half}; the spread at the top is ${quantity(ratio, '', 1)} times that at the bottom`;
  return ratio < 1 / 1.5
    ? `${half}; the spread narrows towards the top`
    : `${half}, about equally over the whole range`;
}

function draw(groups: readonly ResidualGroup[], { unit, name }: Quantity, frame: Frame): Drawing {
  const [left, right, top, bottom] = [58, frame.width - 6, 8, frame.name === 'wide' ? 250 : 220];
  const y = spanning([0, ...groups.flatMap((group) => [group.p10, group.p90])], [bottom, top], 0.04);
  const step = (right - left) / Math.max(1, groups.length);
  const x = (g: number) => left + (g + 0.5) * step;
  const whole = (group: ResidualGroup) => [group.p10, group.p25, group.p50, group.p75, group.p90].every(known);
  const band = (low: 'p10' | 'p25', high: 'p75' | 'p90') =>
    area<ResidualGroup>(
      (_, g) => x(g),
      (group) => y(group[low]),
      (group) => y(group[high]),
    )
      .defined(whole)
      .digits(1)(groups);
  const median = line<ResidualGroup>(
    (_, g) => x(g),
    (group) => y(group.p50),
  )
    .defined(whole)
    .digits(1)(groups);
  return {
    height: bottom + 40,
    marks: [
      el('path', { d: band('p10', 'p90') ?? '', class: 'band outer' }),
      el('path', { d: band('p25', 'p75') ?? '', class: 'band inner' }),
      leftAxis(y, { left, right, unit }),
      el('line', { x1: left, x2: right, y1: y(0), y2: y(0), class: 'line ink' }),
      el('path', { d: median ?? '', class: 'line blue' }),
      groups.map((group, g) => [
        whole(group) && mark('dot', x(g), y(group.p50), 'blue'),
        label(x(g), bottom + 16, count(g + 1), { anchor: 'middle', class: 'muted' }),
      ]),
      label((left + right) / 2, bottom + 33, 'groups by prediction, lowest first', {
        anchor: 'middle',
        class: 'muted',
      }),
      label(left + 6, top + 12, `actual − predicted ${name}`, { class: 'muted' }),
    ],
  };
}
