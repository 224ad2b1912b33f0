import type { Drift, FeatureDrift } from '../facts.ts';
import { bottomAxis, label } from '../axis.ts';
import type { Drawing, Figure, Frame } from '../figure.ts';
import { change, count, counted, known, listed, percent, pValue, quantity } from '../format.ts';
import { spanning } from '../scale.ts';
import type { Scale } from '../scale.ts';
import { statusMark } from '../status.ts';
import type { Headline, Status } from '../status.ts';
import type { DataTable } from '../table.ts';
import { el, fragment } from '../svg.ts';
import type { Markup } from '../svg.ts';
import { bar, inside, mark, markAt, swatch } from './marks.ts';
import type { Shape } from './marks.ts';
import { rowsIn } from './rows.ts';

const mostRows = 16;

const looks: Record<FeatureDrift['severity'], { shape: Shape; color: string; status: Status }> = {
  stable: { shape: 'ring', color: 'blue', status: 'passed' },
  warn: { shape: 'triangle', color: 'orange', status: 'warned' },
  alert: { shape: 'diamond', color: 'red', status: 'failed' },
};

/** PSI of every feature against its limits, marked with the monitor's verdict, with what chance alone gives at these sample sizes. */
export function driftDots(drift: Drift): Figure {
  const features = [...(drift.prediction ? [drift.prediction] : []), ...byPsi(drift.features)];
  const { warn, alert } = drift.psiLimits;
  return {
    title: `PSI per feature, ${drift.analysis.label} against ${drift.reference.label}: ${severities(drift.features)}`,
    description: `Population stability index of each feature, largest first, with the limits ${warn} (warning) and ${alert} (alert). ${features
      .slice(0, mostRows)
      .map((feature) => `${feature.name}: ${quantity(feature.psi, '', 3)}, ${feature.severity}.`)
      .join(' ')}`,
    span: 'full',
    legend: [
      ...(['stable', 'warn', 'alert'] as const).map((severity) => ({
        sample: mark(looks[severity].shape, 0, 0, looks[severity].color),
        text: severity,
      })),
      {
        sample: swatch('fill faint'),
        text: 'what chance alone gives',
      },
    ],
    note:
      features.length > mostRows
        ? `The ${mostRows} largest of ${count(features.length)} are drawn; the table goes on.`
        : undefined,
    draw: (frame) => draw(features.slice(0, mostRows), drift.psiLimits, frame),
    table: {
      columns: [
        { label: 'Feature' },
        { label: 'Severity' },
        { label: 'PSI', numeric: true },
        { label: 'PSI by chance', numeric: true },
      ],
      rows: features.map((feature) => [
        feature.name,
        feature.severity,
        quantity(feature.psi, '', 3),
        known(feature.psiByChance) ? quantity(feature.psiByChance, '', 3) : '',
      ]),
    },
  };
}

/** What moved and where to, in one sentence; where nothing did, what could have been seen. */
export function driftHeadline({ features, analysis }: Drift): Headline {
  const moved = byPsi(features).filter((feature) => feature.severity !== 'stable');
  if (moved.length === 0) {
    const detectable = features.find((feature) => known(feature.minimumDetectable) && feature.effect);
    const smallest = detectable
      ? `; a shift of ${quantity(detectable.minimumDetectable!, detectable.effect!.unit)} in ${detectable.name} would have been seen`
      : '';
    return {
      status: 'passed',
      sentence: `No drift in ${counted(features.length, 'feature')} over ${counted(analysis.rows, 'row')}${smallest}`,
    };
  }
  const named = moved.slice(0, 3).map((feature) => feature.name + directionWord(feature));
  const more = moved.length > 3 ? [...named, `${count(moved.length - 3)} more`] : named;
  const status = moved.some((feature) => feature.severity === 'alert') ? 'failed' : 'warned';
  return {
    status,
    sentence: `${count(moved.length)} of ${counted(features.length, 'feature')} drifted (${listed(more)})`,
  };
}

/** Effect, direction and test of every feature, the model's output first. */
export function driftTable(drift: Drift): DataTable {
  const all = [...(drift.prediction ? [drift.prediction] : []), ...byPsi(drift.features)];
  return {
    columns: [
      { label: 'Feature' },
      { label: 'PSI', numeric: true },
      { label: 'Direction' },
      { label: 'Effect' },
      { label: 'Test' },
      { label: 'p', numeric: true },
      { label: 'Adjusted', numeric: true },
      { label: 'Detectable', numeric: true },
      { label: '|SHAP|', numeric: true },
    ],
    rows: all.map((feature) => [
      el('span', { class: 'outcome' }, statusMark(looks[feature.severity].status), feature.name),
      quantity(feature.psi, '', 3),
      feature.direction,
      effectWords(feature),
      feature.test ? `${feature.test.name} ${quantity(feature.test.statistic, '')}` : '',
      feature.test ? pValue(feature.test.p) : '',
      feature.test ? pValue(feature.test.adjustedP) : '',
      known(feature.minimumDetectable)
        ? quantity(feature.minimumDetectable, feature.effect?.unit ?? feature.unit ?? '')
        : '',
      known(feature.importanceShare) ? percent(feature.importanceShare, 0) : '',
    ]),
  };
}

/** `mean 44.8 → 51.2 years`. */
export function effectWords({ effect }: FeatureDrift): string {
  if (!effect) return '';
  return `${effect.name} ${change(effect.reference, effect.analysis, effect.unit)}`;
}

/** Largest PSI first. */
export function byPsi(features: readonly FeatureDrift[]): FeatureDrift[] {
  const value = ({ psi }: FeatureDrift) => (known(psi) ? psi : -1);
  return [...features].sort((a, b) => value(b) - value(a));
}

function draw(features: readonly FeatureDrift[], { warn, alert }: Drift['psiLimits'], frame: Frame): Drawing {
  const rows = rowsIn(frame, { names: features.map(({ name }) => name), rowHeight: 26, top: 22, valueWidth: 150 });
  const x = spanning([0, alert * 1.25, ...features.map((feature) => feature.psi)], [rows.left + 8, rows.right - 10]);
  return {
    height: rows.bottom + 40,
    marks: [
      bottomAxis(x, { top: rows.top, bottom: rows.bottom, unit: '', caption: 'population stability index (PSI)' }),
      features.map(
        ({ psiByChance }, r) =>
          known(psiByChance) && bar(x(0), rows.y(r) - 5, inside(x, psiByChance) - x(0), 10, 'fill faint'),
      ),
      limit(x, warn, 'warn', 'orange', rows.top, rows.bottom),
      limit(x, alert, 'alert', 'red', rows.top, rows.bottom),
      features.map((feature, r) => {
        const { shape, color } = looks[feature.severity];
        return fragment(
          rows.words(
            r,
            `${quantity(feature.psi, '', 3)}${directionWord(feature)}`,
            feature.severity === 'stable' ? undefined : 'strong',
          ),
          known(feature.psi) &&
            el('line', { x1: x(0), x2: inside(x, feature.psi), y1: rows.y(r), y2: rows.y(r), class: `line ${color}` }),
          markAt(x, feature.psi, rows.y(r), shape, color),
        );
      }),
    ],
  };
}

function limit(scale: Scale, value: number, text: string, color: string, top: number, bottom: number): Markup {
  if (!known(value)) return fragment();
  const x = inside(scale, value);
  return fragment(
    el('line', { x1: x, x2: x, y1: top - 4, y2: bottom, class: `line ${color} dashed` }),
    label(x, top - 9, text, { anchor: 'middle', class: 'small' }),
  );
}

function directionWord({ direction }: FeatureDrift): string {
  return direction === 'none' ? '' : ` ${{ up: '↑', down: '↓', mixed: 'reshaped', changed: 'mix changed' }[direction]}`;
}

function severities(features: readonly FeatureDrift[]): string {
  const number = (severity: FeatureDrift['severity']) =>
    features.filter((feature) => feature.severity === severity).length;
  const parts = [
    number('alert') > 0 && counted(number('alert'), 'alert'),
    number('warn') > 0 && counted(number('warn'), 'warning'),
    number('stable') > 0 && `${count(number('stable'))} stable`,
  ];
  return listed(parts.filter((part) => part !== false)) || 'no features';
}
