import { group } from 'd3-array';
import type { RunFacts } from './facts.ts';
import { count, duration, instant, known } from './format.ts';
import { wholePage } from './page.ts';
import { statusMark } from './status.ts';
import type { Status } from './status.ts';
import { el, fragment } from './svg.ts';
import type { Markup } from './svg.ts';
import { table } from './table.ts';
import { verdict } from './verdict.ts';

/** What the index keeps of a run, so that it is written without reading old pages. */
export type RunEntry = {
  id: string;
  useCase: string;
  startedAt: string;
  tookSeconds?: number;
  status: Status;
  sentence: string;
  /** Where the run's page lies, relative to the index: `runs/2026-03-01.html`. */
  path: string;
};

/** More would make a slow page of what should be a glance. */
const mostEntries = 60;

export function indexEntry(facts: RunFacts, path: string): RunEntry {
  const { status, sentence } = verdict(facts);
  const { id, useCase, startedAt, tookSeconds } = facts.run;
  return { id, useCase, startedAt, tookSeconds, status, sentence, path };
}

/**
 * The list of runs, newest first within each use case.
 *
 * @throws Error where a path leads out of the reports' folder.
 */
export function renderIndex(entries: readonly RunEntry[]): string {
  const useCases = [...group(newestFirst(entries), (entry) => entry.useCase)].sort(([a], [b]) => (a < b ? -1 : 1));
  return wholePage('Bordereau: runs', [
    el(
      'header',
      {},
      el(
        'p',
        { class: 'eyebrow' },
        el('b', {}, 'Bordereau'),
        el('span', {}, entries.length === 1 ? '1 run' : `${count(entries.length)} runs`),
      ),
      el('h1', {}, 'Runs'),
    ),
    el(
      'main',
      {},
      useCases.length === 0
        ? el('p', {}, 'No run yet.')
        : useCases.map(([useCase, runs], i) => useCaseRuns(useCase, runs, `use-case-${i}`)),
    ),
  ]);
}

function useCaseRuns(useCase: string, runs: readonly RunEntry[], id: string): Markup {
  const shown = runs.slice(0, mostEntries);
  const content = {
    columns: [{ label: 'Verdict' }, { label: 'Started' }, { label: 'Took', numeric: true }, { label: 'Run' }],
    rows: shown.map((run) => [
      el(
        'span',
        { class: 'verdict-line' },
        statusMark(run.status),
        el('a', { href: relative(run.path) }, run.sentence),
      ),
      el('span', { class: 'outcome' }, instant(run.startedAt)),
      known(run.tookSeconds) ? duration(run.tookSeconds) : '',
      el('code', {}, run.id),
    ]),
  };
  const older = runs.length - shown.length;
  return el(
    'section',
    { 'aria-labelledby': id },
    el('h2', { id }, useCase),
    el(
      'div',
      { class: 'body' },
      fragment(
        table(content, `Runs of ${useCase}`),
        older > 0 && el('p', { class: 'note' }, `${count(older)} older runs are not listed; their pages remain.`),
      ),
    ),
  );
}

function newestFirst(entries: readonly RunEntry[]): RunEntry[] {
  return [...entries].sort((a, b) =>
    a.startedAt === b.startedAt ? (a.id < b.id ? 1 : -1) : a.startedAt < b.startedAt ? 1 : -1,
  );
}

/** A link may lead to a page beside or below the index, nowhere else. */
function relative(path: string): string {
  const parts = path.split('/');
  if (parts.includes('..') || parts[0] === '' || /^[a-z][a-z0-9+.-]*:/i.test(path)) {
    throw new Error(
      `The report path "${path}" is not relative to the index: give the path below the folder of reports.`,
    );
  }
  return parts.map(encodeURIComponent).join('/');
}
