import type { Drift, FeatureDrift, OverlayBin, Sample } from '../facts.ts';
import { bottomAxis } from '../axis.ts';
import type { Drawing, Figure, Frame } from '../figure.ts';
import { percent, quantity } from '../format.ts';
import { spanning } from '../scale.ts';
import type { Scale } from '../scale.ts';
import { el } from '../svg.ts';
import { closedBins, safeOverlay } from './bins.ts';
import type { Closed } from './bins.ts';
import { effectWords } from './drift-dots.ts';
import { bar, round, swatch } from './marks.ts';
import { rowsIn } from './rows.ts';

/** One feature in both samples: areas for the reference, a line for the analysis, or paired bars for categories. */
export function driftOverlay(feature: FeatureDrift, bins: readonly OverlayBin[], samples: Drift): Figure {
  return sampleOverlay({ ...feature, title: overlaySentence(feature) }, bins, samples);
}

/** The same of anything that two samples have, under a title of its own. */
export function sampleOverlay(
  feature: Pick<FeatureDrift, 'name' | 'unit'> & { title: string },
  bins: readonly OverlayBin[],
  { reference, analysis }: Pick<Drift, 'reference' | 'analysis'>,
): Figure {
  const shown = safeOverlay(bins, reference, analysis);
  const numeric = closedBins(shown);
  return {
    title: feature.title,
    description: `Distribution of ${feature.name} in ${reference.label} and in ${analysis.label}, each as shares of its own rows.`,
    span: 'half',
    legend: [
      { sample: swatch('fill bar'), text: reference.label },
      {
        sample: numeric ? el('path', { d: 'M-12 0H12', class: 'line thick orange' }) : swatch('hatched orange'),
        text: analysis.label,
      },
    ],
    note: numeric ? 'The bins at both ends hold everything beyond them.' : undefined,
    draw: (frame) => (numeric ? histograms(numeric, feature, frame) : pairedBars(shown, frame)),
    table: {
      columns: [
        { label: feature.name },
        { label: sampleLabel(reference), numeric: true },
        { label: sampleLabel(analysis), numeric: true },
      ],
      rows: shown.map((bin) => [bin.label, percent(bin.referenceShare), percent(bin.analysisShare)]),
    },
  };
}

function overlaySentence(feature: FeatureDrift): string {
  const moved = {
    up: 'moved up',
    down: 'moved down',
    mixed: 'changed its shape',
    changed: 'changed its mix',
    none: 'did not move',
  }[feature.direction];
  const effect = effectWords(feature);
  return `${feature.name} ${moved}${effect === '' ? '' : `: ${effect}`} (PSI ${quantity(feature.psi, '', 2)})`;
}

function sampleLabel({ label, rows }: Sample): string {
  return `${label} (${quantity(rows, 'count')} rows)`;
}

/** Both outlines over true widths, so that a pooled bin is wider and not higher. */
function histograms(
  bins: readonly Closed<OverlayBin>[],
  { unit = '' }: Pick<FeatureDrift, 'unit'>,
  frame: Frame,
): Drawing {
  const [left, right, top, bottom] = [4, frame.width - 4, 8, 168];
  const x = spanning(
    bins.flatMap((bin) => [bin.from, bin.to]),
    [left, right],
  );
  const density = (bin: Closed<OverlayBin>, share: number) => share / (bin.to - bin.from);
  const y = spanning(
    [0, ...bins.flatMap((bin) => [density(bin, bin.referenceShare), density(bin, bin.analysisShare)])],
    [bottom, top],
  );
  const steps = (share: (bin: Closed<OverlayBin>) => number) =>
    outline(bins, (bin) => y(density(bin, share(bin))), x, bottom);
  return {
    height: bottom + 38,
    marks: [
      bottomAxis(x, {
        top: bottom,
        bottom,
        unit,
        caption: unit === '' || /^(share|count|[A-Z]{3})$/.test(unit) ? undefined : unit,
      }),
      el('path', { d: steps((bin) => bin.referenceShare), class: 'fill bar' }),
      el('path', { d: steps((bin) => bin.analysisShare), class: 'line thick orange' }),
      el('line', { x1: left, x2: right, y1: bottom, y2: bottom, class: 'line rule' }),
    ],
  };
}

function outline(
  bins: readonly Closed<OverlayBin>[],
  y: (bin: Closed<OverlayBin>) => number,
  x: Scale,
  bottom: number,
): string {
  const steps = bins.map((bin) => `V${round(y(bin))}H${round(x(bin.to))}`).join('');
  return `M${round(x(bins[0].from))} ${bottom}${steps}V${bottom}`;
}

function pairedBars(bins: readonly OverlayBin[], frame: Frame): Drawing {
  const rows = rowsIn(frame, { names: bins.map((bin) => bin.label), rowHeight: 26 });
  const most = Math.max(...bins.flatMap((bin) => [bin.referenceShare, bin.analysisShare]), 0) || 1;
  const width = (share: number) => (share / most) * frame.width;
  return {
    height: rows.bottom,
    marks: bins.map((bin, r) => [
      rows.words(r, `${percent(bin.referenceShare)} → ${percent(bin.analysisShare)}`),
      bar(0, rows.y(r) - 8, width(bin.referenceShare), 8, 'fill bar'),
      bar(0, rows.y(r) + 1, width(bin.analysisShare), 7, 'hatched orange'),
    ]),
  };
}
