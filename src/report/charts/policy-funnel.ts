import { funnelSteps } from '../../recommend/funnel.ts';
import type { Drawing, Figure, Frame } from '../figure.ts';
import { count, counted, known, percent } from '../format.ts';
import { isSmall, minimumGroupRows, poolNeighbours } from '../small-groups.ts';
import type { Headline } from '../status.ts';
import { fragment } from '../svg.ts';
import { bar, swatch } from './marks.ts';
import { rowsIn } from './rows.ts';

/** As `policyCounts` makes them. */
export type PolicyFacts = {
  members: number;
  holdoutMembers: number;
  /** What is left after each step, from all pairs of a member and an offer to those that are sent. */
  steps: readonly { name: string; pairs: number; members: number }[];
  /** Pairs that each rule removed. */
  removed: { readonly [rule: string]: number };
};

type Step = {
  name: string;
  /** Undefined where the number would tell about a few people. */
  pairs?: number;
  members?: number;
  /** What the step's rules removed, strongest first. */
  removed: { rule: string; pairs?: number }[];
};

/** From all pairs of members and offers to those that are sent, step by step. */
export function policyFunnel(counts: PolicyFacts): Figure {
  const steps = stepsOf(counts);
  const all = counts.steps[0].pairs;
  const hidden = steps.some(
    (step) => step.pairs === undefined || step.removed.some(({ pairs }) => pairs === undefined),
  );
  return {
    title: policyHeadline(counts).sentence,
    description: `One row per step of the contact policy, in the order in which its rules are asked: the bar is what is left of all pairs of a member and an offer, the hatched part what the step removed. ${steps.map((step) => `${step.name}: ${told(step.pairs)}.`).join(' ')}`,
    span: 'full',
    legend: [
      { sample: swatch('fill blue'), text: 'left' },
      { sample: swatch('hatched orange'), text: 'removed at this step' },
    ],
    note:
      [
        counts.holdoutMembers >= minimumGroupRows &&
          `${counted(counts.holdoutMembers, 'member')} of the holdout are never contacted, so that the effect of contacts can be measured.`,
        hidden && `Numbers that would tell about fewer than ${minimumGroupRows} people are left out.`,
      ]
        .filter((sentence) => sentence !== false)
        .join(' ') || undefined,
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
        removed.map(({ rule, pairs }) => `${rule.replaceAll('-', ' ')} ${told(pairs)}`).join(', '),
      ]),
    },
  };
}

/** How much is sent and what was most often against it, in one sentence. */
export function policyHeadline(counts: PolicyFacts): Headline {
  const steps = stepsOf(counts);
  const [all, last] = [steps[0], steps[steps.length - 1]];
  if (all.pairs === undefined) return { status: 'notice', sentence: 'Too few members to tell what is sent to them' };
  if (all.pairs === 0) return { status: 'warned', sentence: 'There was nobody to recommend anything to' };
  if (last.pairs === 0)
    return { status: 'warned', sentence: `None of ${counted(all.pairs, 'possible offer')} is sent` };
  const sent = last.pairs === undefined ? 'Few' : percent(last.pairs / all.pairs);
  const to = last.members === undefined ? '' : `, to ${count(last.members)} of ${counted(counts.members, 'member')}`;
  const [against] = steps.flatMap(({ removed }) => removed).sort((a, b) => (b.pairs ?? 0) - (a.pairs ?? 0));
  const because =
    against?.pairs === undefined
      ? ''
      : `; most often against one: ${against.rule.replaceAll('-', ' ')} (${percent(against.pairs / all.pairs)})`;
  return { status: 'passed', sentence: `${sent} of ${counted(all.pairs, 'possible offer')} are sent${to}${because}` };
}

function stepsOf({ steps, removed }: PolicyFacts): Step[] {
  const pairs = tellNested(steps.map((step) => step.pairs));
  const members = tellNested(steps.map((step) => step.members));
  return steps.map((step, s) => {
    const rules = (funnelSteps.find(({ name }) => name === step.name)?.removedBy ?? []).filter(
      (rule) => removed[rule] > 0,
    );
    const told = pairs[s] !== undefined && pairs[s - 1] !== undefined && !rules.some((rule) => isSmall(removed[rule]));
    return {
      name: step.name,
      pairs: pairs[s],
      members: members[s],
      removed: rules
        .toSorted((a, b) => removed[b] - removed[a])
        .map((rule) => ({ rule, pairs: told ? removed[rule] : undefined })),
    };
  });
}

/** Falling counts without those from whose difference a small group could be computed: they are told together. */
function tellNested(counts: readonly number[]): (number | undefined)[] {
  const losses = counts.map((rows, i) => ({ first: i, rows: rows - (counts[i + 1] ?? 0) }));
  const pooled = poolNeighbours(
    losses,
    ({ rows }) => [rows],
    (left, right) => ({ first: left.first, rows: left.rows + right.rows }),
  );
  const told = new Set(pooled.map(({ first }) => first));
  return counts.map((rows, i) => (told.has(i) ? rows : undefined));
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
