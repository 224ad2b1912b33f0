import { bandBars, predictionsHeadline } from '../charts/band-bars.ts';
import { intervalCoverage } from '../charts/interval-coverage.ts';
import type { RunFacts } from '../facts.ts';
import { figureGrid, renderFigure } from '../figure.ts';
import { lead } from '../section.ts';
import type { Section } from '../section.ts';

/** What was published: bands, flags, and what the intervals are worth. */
export function predictions({ predictions, target = { name: 'target', unit: '' } }: RunFacts): Section | undefined {
  if (!predictions) return undefined;
  const headline = predictionsHeadline(predictions, target);
  const grouped = (predictions.bands ?? []).length + (predictions.flags ?? []).length > 0;
  const { intervals } = predictions;
  return {
    id: 'predictions',
    name: 'Predictions',
    headline,
    body: [
      lead(headline.sentence),
      figureGrid(
        [
          grouped && renderFigure(bandBars(predictions, target), 'bands'),
          intervals?.measuredCoverage &&
            renderFigure(intervalCoverage(intervals, intervals.measuredCoverage, target), 'interval-coverage'),
        ].filter((figure) => figure !== false && figure !== undefined),
      ),
    ],
  };
}
