import type { RunFacts } from './facts.ts';
import { duration, instant, known, versionName } from './format.ts';
import { renderSection } from './section.ts';
import type { Section } from './section.ts';
import { calibration } from './sections/calibration.ts';
import { confusion } from './sections/confusion.ts';
import { dataQuality } from './sections/data-quality.ts';
import { drift } from './sections/drift.ts';
import { explanation } from './sections/explanation.ts';
import { fairness } from './sections/fairness.ts';
import { gates } from './sections/gates.ts';
import { lineage } from './sections/lineage.ts';
import { modelChoice } from './sections/model-choice.ts';
import { outputs } from './sections/outputs.ts';
import { predictions } from './sections/predictions.ts';
import { promotion } from './sections/promotion.ts';
import { receipt } from './sections/receipt.ts';
import { recommendations } from './sections/recommendations.ts';
import { shadow } from './sections/shadow.ts';
import { runStates } from './sections/run-states.ts';
import { testResults } from './sections/test-results.ts';
import { uplift } from './sections/uplift.ts';
import { statusMark, statusSymbols } from './status.ts';
import { el, fragment, styleSheet } from './svg.ts';
import type { Markup } from './svg.ts';
import { theme } from './theme.ts';
import { verdict } from './verdict.ts';

/** In the order of the page. A part of which the run has no facts gives nothing. */
const parts: readonly ((facts: RunFacts) => Section | undefined)[] = [
  runStates,
  receipt,
  dataQuality,
  modelChoice,
  testResults,
  gates,
  calibration,
  fairness,
  explanation,
  outputs,
  shadow,
  promotion,
  predictions,
  recommendations,
  uplift,
  drift,
  confusion,
  lineage,
];

/**
 * The report of one run as one HTML file that needs nothing else: no script, no request, and below 300 KB for a run of 96
 * features and as many columns. It is also well-formed XML, and the same facts give the same bytes.
 */
export function renderPage(facts: RunFacts): string {
  const complete = withMissing(facts);
  const sections = parts.map((part) => part(complete)).filter((section) => section !== undefined);
  const { useCase, question } = complete.run;
  return wholePage(`${useCase}: ${question}`, [
    pageHeader(complete, sections),
    el('main', {}, sections.map(renderSection)),
    el(
      'footer',
      {},
      el(
        'p',
        {},
        'Made by Bordereau. This page is one file that loads nothing. People appear in groups of 11 or more only; rows that broke a rule of the data contract are counted exactly. Open the data of a chart before printing to have it on paper.',
      ),
    ),
  ]);
}

/** A whole page around its body, with the style sheet and the shapes that charts refer to. */
export function wholePage(title: string, body: readonly Markup[]): string {
  const page = el(
    'html',
    { lang: 'en' },
    el(
      'head',
      {},
      el('meta', { charset: 'utf-8' }),
      el('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
      el('meta', { 'http-equiv': 'Content-Security-Policy', content: "default-src 'none'; style-src 'unsafe-inline'" }),
      el('title', {}, title),
      styleSheet(theme()),
    ),
    el('body', {}, shapes(), body),
  );
  return `<!doctype html>\n${page.markup}\n`;
}

function pageHeader(facts: RunFacts, sections: readonly Section[]): Markup {
  const { run, lineage } = facts;
  const { status, sentence, reason } = verdict(facts);
  const version = facts.promotion?.version ?? facts.predictions?.modelVersion ?? lineage?.modelVersion;
  const details: [string, string | undefined][] = [
    ['Run', run.id],
    ['Took', known(run.tookSeconds) ? duration(run.tookSeconds) : undefined],
    ['Where', run.environment],
    ['Model', version === undefined ? undefined : versionName(version)],
    ['Data version', known(lineage?.dataVersion) ? String(lineage.dataVersion) : undefined],
  ];
  return el(
    'header',
    {},
    el(
      'p',
      { class: 'eyebrow' },
      el('b', {}, 'Bordereau'),
      el('span', {}, run.useCase),
      el('span', {}, instant(run.startedAt)),
    ),
    el('h1', {}, run.question),
    el(
      'div',
      { class: 'verdict' },
      statusMark(status),
      el('p', { class: 'sentence' }, sentence),
      reason !== undefined && el('p', { class: 'reason' }, reason),
    ),
    el(
      'dl',
      { class: 'facts' },
      details.map(([name, value]) => value !== undefined && el('div', {}, el('dt', {}, name), el('dd', {}, value))),
    ),
    sections.length > 1 && brief(sections),
  );
}

function brief(sections: readonly Section[]): Markup {
  return el(
    'nav',
    { class: 'brief', 'aria-labelledby': 'brief' },
    el('h2', { id: 'brief' }, 'In brief'),
    el(
      'ul',
      {},
      sections.map(({ id, name, headline }) =>
        el('li', {}, statusMark(headline.status), el('a', { href: `#${id}` }, name), el('p', {}, headline.sentence)),
      ),
    ),
  );
}

function shapes(): Markup {
  const hatch = (id: string, colour: string, content: Markup) =>
    el(
      'pattern',
      { id, width: 6, height: 6, patternUnits: 'userSpaceOnUse', class: colour },
      el('rect', { width: 6, height: 6, class: 'ground' }),
      content,
    );
  return el(
    'svg',
    { class: 'defs', 'aria-hidden': 'true' },
    el(
      'defs',
      {},
      statusSymbols(),
      hatch('hatched', 'orange', el('path', { d: 'M-1 7L7-1M-1 1L1-1M5 7L7 5', class: 'line' })),
      hatch(
        'dotted',
        'red',
        fragment(
          el('circle', { cx: 1.5, cy: 1.5, r: 1.2, class: 'fill' }),
          el('circle', { cx: 4.5, cy: 4.5, r: 1.2, class: 'fill' }),
        ),
      ),
    ),
  );
}

/**
 * Facts with NaN wherever a number is missing. JSON made null of it, which arithmetic would take for zero; and sizes that
 * no quantity has, which a division by almost nothing leaves behind, would break every scale.
 */
function withMissing<Value>(value: Value): Value {
  if (value === null) return NaN as Value;
  if (typeof value === 'number') return (Math.abs(value) > 1e15 ? NaN : Math.abs(value) < 1e-12 ? 0 : value) as Value;
  if (typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(withMissing) as Value;
  // parameters may be null in earnest
  const parts = Object.entries(value).map(([key, part]) => [key, key === 'parameters' ? part : withMissing(part)]);
  return Object.fromEntries(parts) as Value;
}
