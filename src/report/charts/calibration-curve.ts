import { criticalValue } from '../../ml/metrics/normal.ts';
import type { Calibration, CalibrationGroup, Quantity } from '../facts.ts';
import { bottomAxis, label, leftAxis } from '../axis.ts';
import type { Drawing, Figure, Frame } from '../figure.ts';
import { count, estimate, known, percent, quantity } from '../format.ts';
import { spanning } from '../scale.ts';
import type { Headline } from '../status.ts';
import { el, fragment } from '../svg.ts';
import { mark, round, uprightWhisker } from './marks.ts';

/** Mean actual against mean prediction in groups of equal size; a calibrated model lies on the diagonal. */
export function calibrationCurve({ groups }: Calibration, target: Quantity): Figure {
  return {
    title: calibrationHeadline({ groups }).sentence,
    description: `Mean actual ${target.name} (upright, with 95 % interval) against mean prediction (across) in ${count(groups.length)} groups of equal size by prediction; on the dashed diagonal both are equal.`,
    span: 'half',
    legend: [
      { sample: mark('dot', 0, 0, 'blue'), text: 'group, 95 % interval' },
      { sample: el('path', { d: 'M-10 0H10', class: 'line quiet dashed' }), text: 'actual = predicted' },
    ],
    note: 'One interval in twenty misses the diagonal by chance; the verdict allows for that.',
    draw: (frame) => draw(groups, target, frame),
    table: {
      columns: [
        { label: 'Group by prediction' },
        { label: 'Rows', numeric: true },
        { label: 'Mean predicted', numeric: true },
        { label: 'Mean actual (95 % interval)', numeric: true },
        { label: 'Actual / predicted', numeric: true },
      ],
      rows: groups.map((group, g) => [
        groupName(g, groups.length),
        count(group.rows),
        quantity(group.meanPredicted, target.unit),
        estimate(group.meanActual, target.unit),
        percent(group.meanActual.value / group.meanPredicted),
      ]),
    },
  };
}

/** Where predictions are off by more than chance, in one sentence. */
export function calibrationHeadline({ groups }: Calibration): Headline {
  const gaps = groups
    .map((group, g) => ({
      gap: relativeGap(group),
      sure: isOutside(group, groups.length),
      name: groupName(g, groups.length),
    }))
    .filter(({ gap }) => known(gap))
    .sort((a, b) => Math.abs(b.gap) - Math.abs(a.gap));
  if (gaps.length === 0) return { status: 'notice', sentence: 'Too few rows to judge calibration' };

  const sure = gaps.filter((group) => group.sure);
  if (sure.length === 0) {
    const largest = `the largest gap, ${percent(Math.abs(gaps[0].gap))} in the ${gaps[0].name}, is within chance`;
    return { status: 'passed', sentence: `Predictions agree with actuals in every group; ${largest}` };
  }
  const [worst] = sure;
  const others =
    sure.length > 1 ? `, and miss in ${count(sure.length - 1)} more of ${count(groups.length)} groups` : '';
  const direction = worst.gap < 0 ? 'below' : 'above';
  return {
    status: 'warned',
    sentence: `Predictions run ${percent(Math.abs(worst.gap))} ${direction} actuals in the ${worst.name}${others}`,
  };
}

/** Groups by prediction, as people call them: `lowest tenth`, `third tenth`, `top tenth`. */
export function groupName(group: number, groups: number): string {
  const part = { 2: 'half', 3: 'third', 4: 'quarter', 5: 'fifth', 10: 'tenth' }[groups] ?? 'group';
  if (group === 0) return `lowest ${part}`;
  if (group === groups - 1) return `top ${part}`;
  return `${ordinals[group - 1] ?? `${group + 1}th`} ${part}`;
}

const ordinals = ['second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth'];

function draw(groups: readonly CalibrationGroup[], { name, unit }: Quantity, frame: Frame): Drawing {
  const [left, right, top, bottom] = [52, frame.width - 6, 8, 258];
  const drawn = groups.filter((group) => known(group.meanPredicted) && known(group.meanActual.value));
  const values = drawn.flatMap(({ meanPredicted, meanActual }) => [
    meanPredicted,
    meanActual.value,
    meanActual.low,
    meanActual.high,
  ]);
  const x = spanning(values, [left, right], 0.03);
  const y = spanning(values, [bottom, top], 0.03);
  return {
    height: bottom + 40,
    marks: [
      leftAxis(y, { left, right, unit }),
      bottomAxis(x, { top, bottom, unit, caption: `mean predicted ${name}`, about: 4 }),
      label(left + 6, top + 12, `mean actual ${name}`, { class: 'muted' }),
      el('path', { d: `M${left} ${bottom}L${round(right)} ${top}`, class: 'line quiet dashed' }),
      drawn.map(({ meanPredicted, meanActual }) =>
        fragment(
          uprightWhisker(y, meanActual.low, meanActual.high, x(meanPredicted), 'blue'),
          mark('dot', x(meanPredicted), y(meanActual.value), 'blue'),
        ),
      ),
    ],
  };
}

/** Predicted over actual, less one. */
function relativeGap({ meanPredicted, meanActual }: CalibrationGroup): number {
  return known(meanPredicted) && meanActual.value !== 0 ? meanPredicted / meanActual.value - 1 : NaN;
}

/** Whether the gap is beyond chance when `groups` of them are looked at: the 95 % interval widened after Bonferroni. */
function isOutside({ meanPredicted, meanActual: { value, low, high } }: CalibrationGroup, groups: number): boolean {
  const widening = criticalValue(1 - 0.05 / groups) / criticalValue(0.95);
  return meanPredicted < value - (value - low) * widening || meanPredicted > value + (high - value) * widening;
}
