import type { Lineage, RunFacts } from '../facts.ts';
import { counted, known, listed, versionName } from '../format.ts';
import type { Section } from '../section.ts';
import { el, fragment } from '../svg.ts';
import type { Child, Markup } from '../svg.ts';

/** Everything needed to make this model again, and to tell that it is the same. */
export function lineage({ lineage }: RunFacts): Section | undefined {
  if (!lineage) return undefined;
  const entries = entriesOf(lineage);
  if (entries.length === 0) return undefined;
  return {
    id: 'lineage',
    name: 'Lineage',
    headline: { status: 'notice', sentence: lineageSentence(lineage) },
    body: el(
      'dl',
      { class: 'lineage' },
      entries.map(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]),
    ),
  };
}

function entriesOf(lineage: Lineage): [string, Child][] {
  const { dataTable, dataVersion, contractVersions = {}, parameters = {}, algorithm } = lineage;
  const table = [dataTable ?? '', known(dataVersion) ? `version ${dataVersion}` : '']
    .filter((part) => part !== '')
    .join(', ');
  const settings = Object.entries(parameters).map(([name, value]) => `${name} ${String(value)}`);
  const entries: [string, Child][] = [
    ['Data', table],
    ['Data hash', hash(lineage.dataHash)],
    ['Data contracts', listed(Object.entries(contractVersions).map(([source, version]) => `${source} ${version}`))],
    ['Features hash', hash(lineage.featuresHash)],
    ['Labels changed', taughtText(lineage)],
    ['Code commit', hash(lineage.codeCommit)],
    ['Seed', known(lineage.seed) ? String(lineage.seed) : ''],
    ['Algorithm', algorithm ?? ''],
    ['Parameters', settings.join(', ')],
    ['Model version', lineage.modelVersion === undefined ? '' : versionName(lineage.modelVersion)],
    ['Model digest', hash(lineage.modelDigest)],
  ];
  return entries.filter(([, value]) => value !== '' && value !== undefined);
}

function taughtText({ taughtBy }: Lineage): string {
  if (!taughtBy) return '';
  const { outcomes, votes } = taughtBy;
  return listed([
    ...(outcomes > 0 ? [`towards ${counted(outcomes, 'outcome')} of recommendations`] : []),
    ...(votes > 0 ? [`by ${counted(votes, 'vote')} of reviewers`] : []),
  ]);
}

function lineageSentence({ dataTable, dataVersion, codeCommit, seed }: Lineage): string {
  const parts = [
    dataTable !== undefined && `${dataTable}${known(dataVersion) ? ` version ${dataVersion}` : ''}`,
    codeCommit !== undefined && `code ${codeCommit.slice(0, 7)}`,
    known(seed) && `seed ${seed}`,
  ].filter((part) => part !== false);
  return parts.length === 0 ? 'Origin of the model' : `Made from ${listed(parts)}`;
}

/** A digest in full, which may break anywhere. */
function hash(value: string | undefined): Markup | undefined {
  return value === undefined ? undefined : fragment(el('code', {}, value));
}
