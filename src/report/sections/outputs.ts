import { shapSwarm } from '../charts/shap-swarm.ts';
import type { OutputQuality, RunFacts } from '../facts.ts';
import { type Figure, figureGrid, renderFigure } from '../figure.ts';
import { count, quantity } from '../format.ts';
import { lead } from '../section.ts';
import type { Section } from '../section.ts';
import { type Markup, el } from '../svg.ts';
import { table } from '../table.ts';

/** Of a model with several outputs: how good each one is, best first, and what moves it. */
export function outputs({ outputs: each, explanation, target }: RunFacts): Section | undefined {
  if (!each || each.length === 0) return undefined;
  const { unit, name } = target ?? { name: 'target', unit: '' };
  const ranked = each.toSorted((a, b) => b.r2 - a.r2);
  const sentence = sentenceOf(ranked);
  const content = {
    columns: [
      { label: 'Output' },
      { label: 'R²', numeric: true },
      { label: 'Mean absolute error', numeric: true },
      { label: 'Root mean squared error', numeric: true },
      { label: 'Looks most at' },
    ],
    rows: ranked.map(({ name: output, r2, mae, rmse, features }) => [
      output,
      quantity(r2, ''),
      quantity(mae, unit),
      quantity(rmse, unit),
      features[0]?.name ?? '',
    ]),
  };
  const swarms = ranked
    .filter(({ features }) => features.some(({ marks }) => (marks ?? []).length > 0))
    .map((output) => {
      const own = { rows: explanation?.rows ?? 0, baseValue: 0, features: output.features };
      const figure = shapSwarm(own, { name, unit });
      return { ...figure, title: `${output.name}: ${figure.title}` };
    });
  return {
    id: 'outputs',
    name: 'Outputs',
    headline: { status: 'notice', sentence },
    body: [lead(sentence), table(content, 'Quality of each output'), ...swarmGrid(swarms)],
  };
}

/** The swarms in pairs; how to read them is said once. */
function swarmGrid(swarms: readonly Figure[]): Markup[] {
  if (swarms.length === 0) return [];
  const halves = swarms.map(({ note: _note, ...figure }, i) =>
    renderFigure({ ...figure, span: 'half' }, `output-${i + 1}`),
  );
  return [el('p', { class: 'note' }, swarms[0].note), figureGrid(halves)];
}

function sentenceOf(ranked: readonly OutputQuality[]): string {
  const [best, worst] = [ranked[0], ranked[ranked.length - 1]];
  return `Of ${count(ranked.length)} outputs ${best.name} is predicted best (R² ${quantity(best.r2, '')}) and ${worst.name} worst (${quantity(worst.r2, '')})`;
}
