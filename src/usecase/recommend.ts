import * as z from 'zod';
import { conditionFindings } from '../data/condition.ts';
import { didYouMean } from '../data/nearest.ts';
import type { Finding } from '../data/strict-parse.ts';

/*
 * The part `recommend` of a declaration whose model has several outputs: each output is an offer's score for a member. It says
 * which offers there are, who may get which of them by which channel, and what is said about them.
 */

const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/, 'must be a name: letters, digits and "_"');
const duration = z.string().regex(/^P\d+D$/, 'must be a number of days such as P28D');
/** One line of text for people: nothing that could be markup, a link or an instruction to a machine. */
const line = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}<>{}[\]|\\`*#@_]+$/u, 'must be one line of plain words');
/** The same without figures: texts to members never carry a measured number. */
const words = line.regex(/^\P{N}+$/u, 'must be words without figures');
const amountUsd = z.number().gt(0);

const offer = z.strictObject({
  id: name,
  /** The model's output that is its score. @default - the one named like the offer */
  output: name.optional(),
  name: line,
  category: name,
  description: line,
  /** What the score is multiplied by before offers compete; both stand beside each other in every output. */
  priorityWeight: z.number().gt(0),
  /** An SQL condition over the feature table; unknown is no. @default - everybody is eligible */
  eligible: z.string().min(1).optional(),
  /** By which it may be sent, the first that is allowed is taken. */
  channels: z.array(name).min(1),
  /** Days until the same offer may go to the same member by the same channel again. */
  cooldownDays: z.number().int().min(0),
});

/** What an export may carry of a recommendation. */
export const exportFields = [
  'entityKey',
  'recommendationId',
  'rank',
  'offerId',
  'offerName',
  'category',
  'description',
  'score',
  'priorityWeight',
  'weightedScore',
  'channel',
  'reason',
  'recommendedAt',
  'modelVersion',
] as const;
export type ExportField = (typeof exportFields)[number];

const feature = z
  .strictObject({
    /** What it is called in a text, after "your": `time since the last claim`. */
    label: words,
    /** What ranges of a number are called, ascending; the last one is open. */
    bands: z
      .array(z.strictObject({ name: words, below: z.number().optional() }))
      .min(1)
      .optional(),
    /** What levels of a category are called; others are not told. */
    levels: z.record(z.string(), words).optional(),
  })
  .refine(
    ({ bands, levels }) => (bands === undefined) !== (levels === undefined),
    'needs either "bands" of a number or "levels" of a category',
  );

const model = z.strictObject({
  /** A Bedrock model or inference profile that can be held to a tool. */
  id: z.string().min(1),
  temperature: z.number().min(0).max(1).default(0.7),
  /** Of one answer. */
  maximumTokens: z.number().int().min(50).default(200),
  /** Requests under way at once. */
  concurrency: z.number().int().min(1).default(4),
  timeoutSeconds: z.number().gt(0).default(20),
  /** For one text, the first included. */
  attempts: z.number().int().min(1).default(3),
  /** What all texts of one run may cost together; the rest gets the template. */
  costCapUsd: amountUsd,
  usdPerMillionTokens: z.strictObject({ input: amountUsd, output: amountUsd }),
});

export const recommendSchema = z.strictObject({
  /** Offers of one member in one run, at most. */
  top: z.number().int().min(1).max(250),
  /** Scores are cut to this range. */
  scoreRange: z.tuple([z.number(), z.number()]).default([0, 100]),
  /** Of the score as the model gives it, before the priority weight. */
  minimumScore: z.number(),
  excludedCategories: z.array(name).default([]),
  /** Channel → the column of the feature table that says whether the member agreed to it; unknown is no. */
  consent: z.record(name, name),
  offers: z.array(offer).min(1).max(250),
  caps: z.strictObject({
    /** Offers of one category to one member in one run. */
    perCategory: z.number().int().min(1),
    /** Contacts of one member in a calendar month (UTC), those of earlier runs included. */
    perMonth: z.number().int().min(1),
  }),
  /** The highest weighted score first. @default - money is no limit */
  budget: z.strictObject({ perRunUsd: amountUsd, costPerContactUsd: z.record(name, z.number().min(0)) }).optional(),
  /** Members who are never contacted, so that there is something to compare with. */
  holdout: z.strictObject({ share: z.number().min(0).max(0.5), salt: z.string().min(1) }),
  /** Export → how many offers of a member it carries, and header → what stands below it, in their order. */
  exports: z
    .record(
      name,
      z.strictObject({ top: z.number().int().min(1), columns: z.record(z.string().min(1), z.enum(exportFields)) }),
    )
    .default({}),
  text: z
    .strictObject({
      /** The only features that a text may name. */
      features: z.record(name, feature).default({}),
      /** Who writes the texts. @default - the template */
      model: model.optional(),
    })
    .default({ features: {} }),
  /** What a reviewer's word changes at the next training. */
  feedback: z
    .strictObject({
      /** The source that reviewers' verdicts come by; it is optional. @default - nobody reviews */
      source: name.optional(),
      /** Added to the label, which stays within `scoreRange`. */
      approvedShift: z.number().default(15),
      rejectedShift: z.number().default(-20),
      /** Of a training row with feedback, against 1 of the others. */
      weight: z.number().gt(0).default(2),
      /** Fewer new votes than this ask for no retraining. */
      minimumRecords: z.number().int().min(1).default(10),
    })
    .prefault({}),
  /** How it is known what came of recommendations. @default - nobody tells */
  responses: z
    .strictObject({
      /** The source that outcomes come by; it is optional. A delivery tells of all that happened before it came. */
      source: name,
      /** How long after a recommendation its outcome is final: before, it is neither measured nor learnt from. */
      within: duration,
      /** What outcomes teach. @default - nothing, they only measure */
      learnt: z
        .strictObject({
          /** What a pair that was sent is worth by the furthest step that the member took, on the scale of the labels. */
          points: z.strictObject({ sent: z.number(), opened: z.number(), clicked: z.number(), responded: z.number() }),
          /** How much of the label that is; the rest stays as it was. */
          share: z.number().gt(0).max(1).default(1),
          /** Fewer outcomes of training rows teach nothing, fewer of judged rows judge nothing. */
          minimumOutcomes: z.number().int().min(1),
        })
        .optional(),
    })
    .optional(),
});

/** How far a member went with an offer, each step beyond the one before it. */
export const outcomeSteps = ['sent', 'opened', 'clicked', 'responded'] as const;

/** The part `recommend` with its defaults filled in. */
export type Recommend = z.output<typeof recommendSchema>;
export type Responses = NonNullable<Recommend['responses']>;
export type Offer = Recommend['offers'][number];
export type TextFeature = Recommend['text']['features'][string];

/**
 * Where the part `recommend` does not fit itself, the sources, the model's outputs or the feature table. `path` is where it
 * stands in the declaration.
 */
export function recommendFindings(
  recommend: Recommend,
  { sources, outputs, columns }: { sources: readonly string[]; outputs: readonly string[]; columns: readonly string[] },
): Finding[] {
  const at = (...path: PropertyKey[]) => ['recommend', ...path];
  const findings: Finding[] = [];
  const unknown = (path: PropertyKey[], what: string, written: string, known: readonly string[]) => {
    if (!known.includes(written))
      findings.push({ path, message: `there is no ${what} "${written}".${didYouMean(written, known)}` });
  };
  const { offers, consent, budget, excludedCategories, scoreRange, minimumScore, text, feedback, responses } =
    recommend;
  const ids = offers.map(({ id }) => id);

  for (const [i, offer] of offers.entries()) {
    if (ids.indexOf(offer.id) < i)
      findings.push({ path: at('offers', i, 'id'), message: `there are two offers "${offer.id}"` });
    const output = offer.output ?? offer.id;
    unknown(at('offers', i), 'output of the model', output, outputs);
    if (outputs.includes(output) && outputs[i] !== output)
      findings.push({
        path: at('offers', i),
        message: `offers stand in the order of the model's outputs: ${outputs[i]} is here`,
      });
    for (const message of offer.eligible === undefined ? [] : conditionFindings(offer.eligible, columns))
      findings.push({ path: at('offers', i, 'eligible'), message });
    for (const channel of offer.channels) {
      unknown(at('offers', i, 'channels'), 'consent for a channel', channel, Object.keys(consent));
      if (budget) unknown(at('budget', 'costPerContactUsd'), 'cost of', channel, Object.keys(budget.costPerContactUsd));
    }
  }
  const scored = new Set(offers.map(({ id, output = id }) => output));
  for (const output of outputs)
    if (!scored.has(output))
      findings.push({ path: at('offers'), message: `the model's output "${output}" is no offer` });
  for (const [channel, column] of Object.entries(consent))
    unknown(at('consent', channel), 'column of the feature table', column, columns);
  for (const category of excludedCategories) {
    const known = [...new Set(offers.map((offer) => offer.category))];
    unknown(at('excludedCategories'), 'category', category, known);
  }
  if (scoreRange[0] >= scoreRange[1])
    findings.push({ path: at('scoreRange'), message: `its bounds are not in order: ${scoreRange.join(', ')}` });
  if (minimumScore > scoreRange[1])
    findings.push({ path: at('minimumScore'), message: `no score reaches ${minimumScore}: the range ends before it` });
  if (feedback.source !== undefined) unknown(at('feedback', 'source'), 'source', feedback.source, sources);
  if (responses) unknown(at('responses', 'source'), 'source', responses.source, sources);
  if (responses?.learnt) {
    const path = at('responses', 'learnt', 'points');
    const points = outcomeSteps.map((step) => responses.learnt!.points[step]);
    if (points.some((value, i) => value <= points[i - 1]))
      findings.push({ path, message: `each step is worth more than the one before it, not ${points.join(', ')}` });
    if (points[0] < scoreRange[0] || points.at(-1)! > scoreRange[1])
      findings.push({ path, message: `points lie within the range of scores, ${scoreRange.join(' to ')}` });
  }

  for (const [name, { bands }] of Object.entries(text.features)) {
    const path = at('text', 'features', name);
    unknown(path, 'column of the feature table', name, columns);
    const edges = (bands ?? []).map(({ below }) => below);
    const ascending = edges.slice(0, -1).every((edge, i) => edge !== undefined && (i === 0 || edge > edges[i - 1]!));
    if (!ascending || edges.at(-1) !== undefined)
      findings.push({ path, message: 'its bands must ascend by "below", and only the last one has none' });
  }
  return findings;
}
