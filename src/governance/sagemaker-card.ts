import type { CardMetric, ModelCard } from './model-card.ts';
import { fileKey } from './registry.ts';
import { say, sayEstimate } from './text.ts';

/** What was decided about the version that the card belongs to. */
export type Promotion = {
  version: number;
  digest: string;
  /** The version's file that predicts. */
  modelFile: string;
  /** Why it is champion, in a sentence with its numbers. */
  reason: string;
  gates: readonly CardGate[];
};

export type CardGate = { name: string; passed: boolean; requirement: string; found: string };

/**
 * The card as content of a SageMaker model package: JSON text of at most 100,000 characters. Facts only, as in the card itself:
 * no risk rating is invented, and a metric that is not defined says so.
 *
 * Follows "Model package model card schema" (`SageMakerModelCardSchema` 0.1.0) in the Amazon SageMaker AI Developer Guide. Every
 * object in it is closed and every text has a longest length: longer ones are cut and end in "…". Where there is too much
 * altogether, notes are shortened; at the end only what identifies the version is left.
 */
export function sageMakerCard(card: ModelCard, promotion: Promotion): string {
  const contents = [longest.note, 200, 40].map((notes) => JSON.stringify(contentOf(card, promotion, notes)));
  return contents.find((content) => content.length <= longest.content) ?? JSON.stringify(identityOf(card, promotion));
}

/** Characters, by the schema. */
const longest = {
  content: 100_000,
  paragraph: 2048,
  observation: 1024,
  item: 1024,
  note: 1024,
  name: 255,
  parameter: 255,
} as const;

function contentOf(card: ModelCard, promotion: Promotion, longestNote: number) {
  const { lineage } = card;
  return {
    ...identityOf(card, promotion),
    intended_uses: {
      purpose_of_model: cut(
        `Predicts ${card.label.column} (${card.label.unit}) by ${lineage.algorithm}.`,
        longest.paragraph,
      ),
      intended_uses: cut(card.intendedUse, longest.paragraph),
      risk_rating: 'Unknown',
      explanations_for_risk_rating: 'The use case declares no risk rating.',
    },
    business_details: { business_problem: cut(card.question, longest.paragraph) },
    training_details: {
      training_observations: cut(
        `${say(lineage.trainRows)} rows of data version ${lineage.dataVersion}, SHA-256 ${lineage.trainDigest}; ` +
          `seed ${lineage.seed}; code commit ${lineage.codeCommit}.`,
        longest.observation,
      ),
      training_job_details: {
        training_datasets: card.sources
          .slice(0, 15)
          .map(({ name, contract, contractVersion }) =>
            cut(`${name}: contract ${contract}, version ${contractVersion}`, longest.item),
          ),
        user_provided_hyper_parameters: Object.entries(lineage.parameters)
          .slice(0, 100)
          .map(([name, value]) => ({ name: cut(name, longest.name), value: cut(String(value), longest.parameter) })),
      },
    },
    evaluation_details: [
      {
        name: 'Frozen test set',
        evaluation_observation: 'No training saw these rows. Intervals are 95 % bootstrap intervals.',
        datasets: [`${say(lineage.testRows)} rows, SHA-256 ${lineage.testDigest}`],
        metric_groups: [
          group('Model', card.metrics, ({ estimate, better }) => ({
            ...valueOf(estimate.value),
            notes: cut(`${sayEstimate(estimate)}; ${better} is better.`, longestNote),
          })),
          group('Constant prediction', card.metrics, ({ constant }) => valueOf(constant)),
          group('Current rules', card.metrics, ({ rules }) => valueOf(rules)),
        ],
      },
      {
        name: 'Gates',
        evaluation_observation: cut(promotion.reason, longest.paragraph),
        metric_groups: [
          {
            name: 'Gates',
            metric_data: promotion.gates.map(({ name, passed, requirement, found }) => ({
              name: cut(name, longest.name),
              type: 'boolean',
              value: passed,
              notes: cut(`${requirement}. ${found}`, longestNote),
            })),
          },
        ],
      },
    ],
  };
}

/** What the version is, wherever else the card is cut. */
function identityOf(card: ModelCard, { version, digest, modelFile, reason }: Promotion) {
  const { lineage } = card;
  return {
    model_overview: {
      model_creator: cut(`Training run ${lineage.runId}`, longest.item),
      // in the registry zone, whose bucket is the deployment's own
      model_artifact: [fileKey({ useCase: card.useCase, version }, modelFile)],
    },
    additional_information: {
      caveats_and_recommendations: cut(card.limits.join(' '), longest.paragraph),
      custom_details: {
        'Use case': card.useCase,
        Version: String(version),
        Digest: digest,
        'Champion because': cut(reason, longest.item),
        Created: new Date(card.createdAtMs).toISOString(),
        Features: cut(lineage.features.join(', '), longest.item),
      },
    },
  };
}

type Value = { type: 'number'; value: number } | { type: 'string'; value: string };

function group(name: string, metrics: readonly CardMetric[], read: (metric: CardMetric) => Value & { notes?: string }) {
  return {
    name,
    metric_data: metrics.map((metric) => ({
      name: cut(metric.unit === '' ? metric.title : `${metric.title} (${metric.unit})`, longest.name),
      ...read(metric),
    })),
  };
}

/** JSON has no word for what is not a number; a stored card has null in its place. */
function valueOf(value: number | null): Value {
  return value !== null && Number.isFinite(value) ? { type: 'number', value } : { type: 'string', value: 'n/a' };
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
