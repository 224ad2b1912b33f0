import type { Estimate, Predictions, Quantity } from '../facts.ts';
import type { Figure } from '../figure.ts';
import { estimate, known, limit, percent, quantity } from '../format.ts';
import { drawStrips } from './strips.ts';

/** Measured against promised coverage of the prediction intervals. */
export function intervalCoverage(
  { nominalCoverage, meanWidth }: NonNullable<Predictions['intervals']>,
  measured: Estimate,
  target: Quantity,
): Figure {
  const width = known(meanWidth) ? `On average an interval is ${quantity(meanWidth, target.unit)} wide.` : '';
  return {
    title: coverageSentence(measured, nominalCoverage),
    description: `Share of test actuals that lie inside their prediction interval: ${estimate(measured, 'share')}, against a promised ${limit(nominalCoverage, 'share')}. ${width}`,
    span: 'half',
    note: `Conformal intervals, measured on test rows whose actual ${target.name} are known. ${width}`,
    draw: (frame) =>
      drawStrips(
        [
          {
            name: 'coverage',
            unit: 'share',
            value: estimate(measured, 'share'),
            estimate: measured,
            neutral: { at: nominalCoverage, text: `promised ${limit(nominalCoverage, 'share')}` },
          },
        ],
        frame,
      ),
    table: {
      columns: [{ label: 'Measure' }, { label: 'Value', numeric: true }],
      rows: [
        ['Promised coverage', limit(nominalCoverage, 'share')],
        ['Measured coverage (95 % interval)', estimate(measured, 'share')],
        ['Mean width', known(meanWidth) ? quantity(meanWidth, target.unit) : ''],
      ],
    },
  };
}

function coverageSentence({ value, low, high }: Estimate, nominal: number): string {
  const result = `Intervals cover ${percent(value)} of actuals`;
  if (high < nominal) return `${result}: less than the ${limit(nominal, 'share')} promised`;
  return low > nominal
    ? `${result}: more than the ${limit(nominal, 'share')} promised`
    : `${result}, in keeping with the ${limit(nominal, 'share')} promised`;
}
