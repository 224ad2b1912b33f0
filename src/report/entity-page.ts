import { shapSwarm } from './charts/shap-swarm.ts';
import { waterfall } from './charts/waterfall.ts';
import type { Explanation, Quantity, TypicalCase } from './facts.ts';
import { type Figure, figureGrid, renderFigure } from './figure.ts';
import { instant, quantity, versionName } from './format.ts';
import { wholePage } from './page.ts';
import { type Section, lead, renderSection } from './section.ts';
import { statusMark } from './status.ts';
import { el } from './svg.ts';
import type { Markup } from './svg.ts';
import { table } from './table.ts';

/** What one version says of one entity, and why. Unlike a run's page it is about one person, with their values. */
export type EntityFacts = {
  useCase: string;
  question: string;
  entityKey: string;
  /** ISO 8601: what the features are known at. */
  eventTime: string;
  version: number;
  /** What is predicted, in a sentence. */
  prediction: string;
  outputs: readonly EntityOutput[];
  /** Of every offer what became of it, those that are sent first; absent where nothing is recommended. */
  offers?: { runId: string; at: string; offers: readonly EntityOffer[] };
};

export type EntityOutput = {
  target: Quantity;
  expected: number;
  value: number;
  contributions: TypicalCase['contributions'];
  /** The swarm of the version's test rows, where it was kept. */
  swarm?: Explanation;
};

export type EntityOffer = {
  name: string;
  /** Empty for one that was removed. */
  rank: string;
  weightedScore: number;
  score: number;
  /** How it is sent, or the rule that removed it. */
  outcome: string;
  reason: string;
};

/** The page of one entity as one HTML file that needs nothing else: a waterfall for each output, and its place among the others. */
export function renderEntityPage(facts: EntityFacts): string {
  const { useCase, question, entityKey, version, eventTime, prediction } = facts;
  const sections = [...(facts.offers ? [offersSection(facts.offers)] : []), ...facts.outputs.map(outputSection)];
  return wholePage(`${useCase}: ${entityKey}`, [
    el(
      'header',
      {},
      el(
        'p',
        { class: 'eyebrow' },
        el('b', {}, 'Bordereau'),
        el('span', {}, useCase),
        el('span', {}, instant(eventTime)),
      ),
      el('h1', {}, question),
      el('div', { class: 'verdict' }, statusMark('notice'), el('p', { class: 'sentence' }, prediction)),
      el(
        'dl',
        { class: 'facts' },
        [
          ['Entity', entityKey],
          ['Model', versionName(String(version))],
        ].map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))),
      ),
    ),
    el('main', {}, sections.map(renderSection)),
    el(
      'footer',
      {},
      el(
        'p',
        {},
        'Made by Bordereau about one person, with their values: keep and pass it on as such. It loads nothing.',
      ),
    ),
  ]);
}

function outputSection({ target, expected, value, contributions, swarm }: EntityOutput, i: number): Section {
  const example: TypicalCase = { group: 'case', rows: 1, prediction: value, contributions };
  const [strongest] = contributions;
  const because = strongest
    ? `; ${strongest.feature}${strongest.value === undefined ? '' : ` = ${strongest.value}`} moves it most`
    : '';
  const sentence = `${target.name}: ${quantity(value, target.unit)} against ${quantity(expected, target.unit)} for everyone${because}`;
  return {
    id: `output-${i + 1}`,
    name: target.name,
    headline: { status: 'notice', sentence },
    body: [
      lead(sentence),
      figureGrid([
        renderFigure(ownWaterfall(example, expected, target), `waterfall-${i + 1}`),
        ...(swarm ? [renderFigure(placeInSwarm({ ...swarm, cases: [example] }, target), `swarm-${i + 1}`)] : []),
      ]),
    ],
  };
}

/** The waterfall of a typical case, worded for one person. */
function ownWaterfall(example: TypicalCase, expected: number, target: Quantity): Figure {
  const { note: _note, ...figure } = waterfall(example, expected, target);
  const [feature, , contribution] = figure.table.columns;
  return {
    ...figure,
    title: 'From everyone to this case',
    description:
      'Starting from the expected value, each bar is the contribution of one feature; a bar that points right raises the prediction, one that points left lowers it.',
    table: { ...figure.table, columns: [feature, { label: 'Value', numeric: true }, contribution] },
  };
}

/** The swarm with this person's contributions marked. */
function placeInSwarm(swarm: Explanation, target: Quantity): Figure {
  const { legend = [], ...figure } = shapSwarm(swarm, target);
  const worded = legend.map((item, i) => (i === legend.length - 1 ? { ...item, text: 'this case' } : item));
  return { ...figure, title: 'Among the others', span: 'half', legend: worded };
}

function offersSection({ runId, at, offers }: NonNullable<EntityFacts['offers']>): Section {
  const sent = offers.filter(({ rank }) => rank !== '').length;
  const sentence = `${sent} of ${offers.length} offers passed the contact policy of ${runId} on ${instant(at)}`;
  const content = {
    columns: [
      { label: '', numeric: true },
      { label: 'Offer' },
      { label: 'Weighted', numeric: true },
      { label: 'Score', numeric: true },
      { label: 'What became of it' },
    ],
    rows: offers.map(({ rank, name, weightedScore, score, outcome }) => [
      rank,
      name,
      quantity(weightedScore, ''),
      quantity(score, ''),
      outcome,
    ]),
  };
  const reasons: Markup[] = offers
    .filter(({ reason }) => reason !== '')
    .map(({ rank, reason }) => el('p', {}, `${rank}. ${reason}`));
  return {
    id: 'offers',
    name: 'Offers',
    headline: { status: 'notice', sentence },
    body: [lead(sentence), table(content, 'Every offer'), ...reasons],
  };
}
