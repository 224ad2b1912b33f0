import type { PolicyCounts } from '../../recommend/funnel.ts';
import { funnelSteps } from '../../recommend/funnel.ts';
import type { Drawing, Figure, Frame } from '../figure.ts';
import { count, counted, known, listed, percent } from '../format.ts';
import { hideSmall, minimumGroupRows } from '../small-groups.ts';
import type { Headline } from '../status.ts';
import { fragment } from '../svg.ts';
import { bar, swatch } from './marks.ts';
import { rowsIn } from './rows.ts';

type Step = {
  name: string;
  /** Undefined where the number would tell about a few people. */
  pairs?: number;
  members?: number;
  /** What the step's rules removed, strongest first. */
  removed: { rule: string; pairs?: number }[];
};

/** From all pairs of members and offers to those that are sent, step by step. */
export function policyFunnel(counts: PolicyCounts): Figure {
  const steps = stepsOf(counts);
  const all = counts.steps[0].pairs;
  const hidden = steps.some(
    (step) => step.pairs === undefined || step.removed.some(({ pairs }) => pairs === undefined),
  );
  return {
    title: policyHeadline(counts).sentence,
    description: `One row per step of the contact policy, in the order in which its rules are asked: the bar is what is left of ${counted(all, 'pair')} of a member and an offer, the hatched part what the step removed. ${steps.map((step) => `${step.name}: ${told(step.pairs)}.`).join(' ')}`,
    span: 'full',
    legend: [
      { sample: swatch('fill blue'), text: 'left' },
      { sample: swatch('hatched orange'), text: 'removed at this step' },
    ],
    note: [
      counts.holdoutMembers > 0 &&
        `${counted(counts.holdoutMembers, 'member')} of the holdout are never contacted, so that the effect of contacts can be measured.`,
      hidden && `Numbers that would tell about fewer than ${minimumGroupRows} people are left out.`,
    ]
      .filter((sentence) => sentence !== false)
      .join(' '),
    draw: (frame) => draw(steps, all, frame),
    table: {
      columns: [
        { label: 'Step' },
        { label: 'Pairs left', numeric: true },
        { label: 'Share', numeric: true },
        { label: 'Members left', numeric: true },
        { label: 'Removed by' },
      ],
      rows: steps.map(({ name, pairs, members, removed }) => [
        name,
        told(pairs),
        pairs === undefined ? '' : percent(pairs / all),
        told(members),
        removed.map(({ rule, pairs }) => `${rule} ${told(pairs)}`).join(', '),
      ]),
    },
  };
}

/** How much is sent and what removed most of the rest, in one sentence. */
export function policyHeadline({ steps, members, removed }: PolicyCounts): Headline {
  const [first, last] = [steps[0], steps[steps.length - 1]];
  if (first.pairs === 0) return { status: 'warned', sentence: 'There was nobody to recommend anything to' };
  if (last.pairs === 0)
    return { status: 'warned', sentence: `None of ${counted(first.pairs, 'possible offer')} is sent` };
  const strongest = Object.entries(removed).reduce((most, next) => (next[1] > most[1] ? next : most));
  const because =
    strongest[1] > 0 ? `; most others fell to the rule ${strongest[0]} (${percent(strongest[1] / first.pairs)})` : '';
  return {
    status: 'passed',
    sentence: `${percent(last.pairs / first.pairs)} of ${counted(first.pairs, 'possible offer')} are sent, to ${count(last.members)} of ${counted(members, 'member')}${because}`,
  };
}

function stepsOf({ steps, removed }: PolicyCounts): Step[] {
  const pairs = tellNested(steps.map((step) => step.pairs));
  const members = tellNested(steps.map((step) => step.members));
  return steps.map((step, s) => {
    const rules = funnelSteps.find(({ name }) => name === step.name)?.removedBy ?? [];
    // of several rules one hidden number would follow from the others and the step's
    const shown = hideSmall(rules.map((rule) => removed[rule]));
    const stepTold = pairs[s] !== undefined && (s === 0 || pairs[s - 1] !== undefined);
    return {
      name: step.name,
      pairs: pairs[s],
      members: members[s],
      removed: rules
        .map((rule, r) => ({ rule, pairs: stepTold ? shown[r] : undefined, size: removed[rule] }))
        .filter(({ size }) => size > 0)
        .sort((a, b) => b.size - a.size)
        .map(({ rule, pairs }) => ({ rule, pairs })),
    };
  });
}

/** Falling counts without those from whose difference a small group could be computed. */
function tellNested(counts: readonly number[]): (number | undefined)[] {
  const shown = hideSmall(counts.map((rows, i) => rows - (counts[i + 1] ?? 0)));
  const hidden = shown.flatMap((rows, i) => (rows === undefined ? [i] : []));
  const [first, last] = [hidden[0] ?? Infinity, hidden.at(-1) ?? -Infinity];
  // what falls away after step i is hidden: the steps after the first of these and up to the last are not told
  return counts.map((rows, i) => (i > first && i <= last ? undefined : rows));
}

function told(rows: number | undefined): string {
  return rows === undefined ? 'not told' : count(rows);
}

function draw(steps: readonly Step[], all: number, frame: Frame): Drawing {
  const rows = rowsIn(frame, { names: steps.map(({ name }) => name), rowHeight: 26, valueWidth: 150 });
  const width = (pairs: number | undefined) =>
    known(pairs) && all > 0 ? (Math.min(pairs, all) / all) * (rows.right - rows.left) : 0;
  return {
    height: rows.bottom,
    marks: steps.map(({ pairs }, s) => {
      const [left, before] = [width(pairs), width(s === 0 ? pairs : steps[s - 1].pairs)];
      const y = rows.y(s) - 8;
      const words = pairs === undefined ? 'not told' : `${count(pairs)}  ·  ${percent(pairs / all)}`;
      return fragment(
        rows.words(s, words, s === steps.length - 1 ? 'strong' : undefined),
        bar(rows.left, y, rows.right - rows.left, 16, 'fill faint'),
        bar(rows.left, y, left, 16, 'fill blue'),
        pairs !== undefined && bar(rows.left + left, y, before - left, 16, 'hatched orange'),
      );
    }),
  };
}
