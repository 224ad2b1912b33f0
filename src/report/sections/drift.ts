import { byPsi, driftDots, driftHeadline, driftTable } from '../charts/drift-dots.ts';
import { driftOverlay } from '../charts/drift-overlay.ts';
import type { Drift, FeatureDrift, RunFacts } from '../facts.ts';
import { figureGrid, renderFigure } from '../figure.ts';
import { counted, limit } from '../format.ts';
import { lead, tableHeading } from '../section.ts';
import type { Section } from '../section.ts';
import { el } from '../svg.ts';
import { table } from '../table.ts';

const mostOverlays = 4;
const mostTableRows = 20;

/** How the analysed period differs from the reference: which features, how far, which way, and how sure that is. */
export function drift({ drift }: RunFacts): Section | undefined {
  if (!drift || drift.features.length === 0) return undefined;
  const headline = driftHeadline(drift);
  const figures = driftTable(drift);
  return {
    id: 'drift',
    name: 'Drift',
    headline,
    body: [
      lead(headline.sentence),
      drift.action !== undefined && el('p', {}, drift.action),
      el('p', { class: 'note' }, comparison(drift)),
      renderFigure(driftDots(drift), 'drift-psi'),
      figureGrid(
        overlaid(drift).map((feature, i) =>
          renderFigure(driftOverlay(feature, feature.overlay!, drift), `drift-overlay-${i + 1}`),
        ),
      ),
      tableHeading('Effect and test, feature by feature'),
      table({ ...figures, rows: figures.rows.slice(0, mostTableRows) }, 'Drift by feature'),
      el(
        'p',
        { class: 'note' },
        'Adjusted: p after correction for the number of features. Detectable: the smallest shift that would have been seen. |SHAP|: share of all movement of predictions that the feature makes.',
      ),
    ],
  };
}

function comparison({ reference, analysis, falseDiscoveryRate }: Drift): string {
  const sizes = `Reference: ${reference.label}, ${counted(reference.rows, 'row')}. Analysis: ${analysis.label}, ${counted(analysis.rows, 'row')}.`;
  if (falseDiscoveryRate === undefined) return sizes;
  return `${sizes} p-values are adjusted for the number of features (Benjamini–Hochberg), so that on average at most ${limit(falseDiscoveryRate, 'share')} of alarms are false.`;
}

/** The model's output, then what drifted most, then the rest by PSI: as many as have bins and find room. */
function overlaid({ features, prediction }: Drift): FeatureDrift[] {
  const rank = { alert: 0, warn: 1, stable: 2 };
  const ordered = byPsi(features).sort((a, b) => rank[a.severity] - rank[b.severity]);
  return [...(prediction ? [prediction] : []), ...ordered]
    .filter((feature) => (feature.overlay ?? []).length > 0)
    .slice(0, mostOverlays);
}
