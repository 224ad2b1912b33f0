import { qualityHeadline, reconciliation } from '../charts/reconciliation.ts';
import { sparkline } from '../charts/sparkline.ts';
import type { ColumnProfile, DataQuality, RuleFired, RunFacts } from '../facts.ts';
import { renderFigure } from '../figure.ts';
import { count, known, listed, percent, quantity } from '../format.ts';
import { tableHeading } from '../section.ts';
import type { Section } from '../section.ts';
import { statusMark } from '../status.ts';
import type { Status } from '../status.ts';
import { el, fragment } from '../svg.ts';
import type { Markup } from '../svg.ts';
import { table } from '../table.ts';

const outcomes: Record<RuleFired['outcome'], Status> = { warn: 'notice', quarantine: 'warned', halt: 'failed' };

/** Distributions take room; later columns are listed without. */
const mostSparklines = 32;

/** What became of the drop, which rules fired, and what the accepted columns look like. */
export function dataQuality({ quality }: RunFacts): Section | undefined {
  if (!quality) return undefined;
  return {
    id: 'data',
    name: 'Data quality',
    headline: qualityHeadline(quality),
    body: [
      renderFigure(reconciliation(quality), 'reconciliation'),
      quality.reason !== undefined && el('p', {}, quality.reason),
      sources(quality),
      quality.rules.length > 0 && fragment(tableHeading('Rules that fired'), rules(quality)),
      quality.columns &&
        quality.columns.length > 0 &&
        fragment(tableHeading('Columns, of the accepted rows'), columns(quality.columns)),
    ],
  };
}

function sources({ sources }: DataQuality): Markup | false {
  if (sources.length === 0) return false;
  const parts = sources.map(
    ({ name, contractVersion, files }) =>
      `${name} ${contractVersion}${files === undefined ? '' : ` (${files === 1 ? '1 file' : `${count(files)} files`})`}`,
  );
  return el(
    'p',
    { class: 'note' },
    `Checked against ${parts.length === 1 ? 'the data contract' : 'the data contracts'} ${listed(parts)}.`,
  );
}

function rules({ rules, droppedRows }: DataQuality): Markup {
  const ranked = [...rules].sort((a, b) => b.rows - a.rows);
  const content = {
    columns: [
      { label: 'Outcome' },
      { label: 'Rule' },
      { label: 'Column' },
      { label: 'Rows', numeric: true },
      { label: 'Share of the drop', numeric: true },
    ],
    rows: ranked.map((rule) => [
      el('span', { class: 'outcome' }, statusMark(outcomes[rule.outcome]), rule.outcome),
      fragment(rule.name, rule.description !== undefined && el('span', { class: 'aside' }, rule.description)),
      rule.column ?? '',
      count(rule.rows),
      percent(rule.rows / droppedRows),
    ]),
  };
  return table(content, 'Rules that fired', { stacked: true });
}

function columns(profiles: readonly ColumnProfile[]): Markup {
  const content = {
    columns: [
      { label: 'Column' },
      { label: 'Distribution' },
      { label: 'Missing', numeric: true },
      { label: 'Distinct', numeric: true },
      { label: '5 %', numeric: true },
      { label: 'Median', numeric: true },
      { label: '95 %', numeric: true },
      { label: 'Type' },
    ],
    rows: profiles.map((profile, p) => {
      const number = (value: number | undefined) =>
        known(value) ? quantity(value, profile.unit ?? (Number.isInteger(value) ? 'count' : '')) : '';
      return [
        profile.name,
        p < mostSparklines && profile.bins && profile.bins.length > 0 && sparkline(profile.name, profile.bins),
        percent(profile.nullShare),
        known(profile.distinct) ? count(profile.distinct) : '',
        number(profile.p5),
        number(profile.median),
        number(profile.p95),
        profile.type,
      ];
    }),
  };
  return table(content, 'Columns of the accepted rows');
}
