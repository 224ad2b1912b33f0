import { shapBars } from '../charts/shap-bars.ts';
import { explanationHeadline, shapSwarm } from '../charts/shap-swarm.ts';
import { waterfall } from '../charts/waterfall.ts';
import type { RunFacts } from '../facts.ts';
import { figureGrid, renderFigure } from '../figure.ts';
import type { Section } from '../section.ts';
import { isSmall } from '../small-groups.ts';

const mostCases = 3;

/** What moves predictions: over all rows, and for typical cases. */
export function explanation({ explanation, target = { name: 'target', unit: '' } }: RunFacts): Section | undefined {
  if (!explanation || explanation.features.length === 0) return undefined;
  const drawn = explanation.features.some((feature) => (feature.marks ?? []).length > 0);
  const cases = (explanation.cases ?? []).filter(({ rows }) => !isSmall(rows)).slice(0, mostCases);
  const typical = cases.map((example, i) =>
    renderFigure(waterfall(example, explanation.baseValue, target), `case-${i + 1}`),
  );
  // the bars stand beside an odd case, or over all of them
  const pairUp = typical.length % 2 === 1;
  const bars = renderFigure(shapBars(explanation, target, pairUp ? 'half' : 'full'), 'shap-bars');
  return {
    id: 'explanation',
    name: 'Explanation',
    headline: explanationHeadline(explanation, target),
    body: [
      drawn && renderFigure(shapSwarm({ ...explanation, cases }, target), 'shap-swarm'),
      pairUp ? figureGrid([bars, ...typical]) : [bars, typical.length > 0 && figureGrid(typical)],
    ],
  };
}
