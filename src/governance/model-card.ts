import type { Estimate } from '../ml/metrics/metric.ts';
import type { GateResult } from './gate.ts';
import type { Lineage } from './lineage.ts';
import { say, sayEstimate } from './text.ts';

/**
 * What a version is, is for and is not for: the source of every other form of the card. Published with the version, so that it
 * knows neither the version's number nor what was decided later: manifest and ledger do. Facts only; it never says that a model
 * is compliant with anything. Fields after Mitchell and others, "Model cards for model reporting" (2019).
 */
export type ModelCard = {
  format: 1;
  useCase: string;
  createdAtMs: number;
  /** What the business asks. */
  question: string;
  intendedUse: string;
  limits: string[];
  label: { column: string; unit: string };
  sources: CardSource[];
  /** On the frozen test set, beside what a constant and the current rules reach. */
  metrics: CardMetric[];
  lineage: Lineage;
};

export type CardSource = { name: string; contract: string; contractVersion: string };

export type CardMetric = {
  name: string;
  title: string;
  better: 'higher' | 'lower';
  unit: string;
  estimate: Estimate;
  constant: number | null;
  rules: number | null;
};

/** The card as Markdown; with the version's number and its gates once it has been judged. */
export function modelCardMarkdown(card: ModelCard, judged?: { version: number; gates: readonly GateResult[] }): string {
  const { lineage } = card;
  return [
    `# ${card.useCase}${judged ? `, version ${judged.version}` : ''}`,
    '',
    `${card.question} Predicts \`${card.label.column}\` (${card.label.unit}) by ${lineage.algorithm}; ` +
      `made ${new Date(card.createdAtMs).toISOString()}.`,
    '',
    '## Intended use',
    '',
    card.intendedUse,
    '',
    '## Limits',
    '',
    ...card.limits.map((limit) => `- ${limit}`),
    '',
    '## Metrics',
    '',
    `On ${say(lineage.testRows)} frozen test rows that no training saw; 95 % bootstrap intervals.`,
    '',
    ...table(
      ['Metric', 'Better', 'Value', 'Constant', 'Current rules'],
      card.metrics.map(({ title, unit, better, estimate, constant, rules }) => [
        unit === '' ? title : `${title} (${unit})`,
        better,
        sayEstimate(estimate),
        say(constant ?? NaN),
        say(rules ?? NaN),
      ]),
    ),
    '',
    '## Gates',
    '',
    ...(judged === undefined
      ? ['Not judged yet.']
      : table(
          ['Gate', 'Result', 'Requirement', 'Evidence'],
          judged.gates.map(({ name, passed, evidence }) => [
            name,
            passed ? 'passed' : 'failed',
            evidence.requirement,
            evidence.text,
          ]),
        )),
    '',
    '## Data and lineage',
    '',
    ...table(
      ['Fact', 'Value'],
      [
        ...card.sources.map(({ name, contract, contractVersion }) => [
          `Source ${name}`,
          `contract ${contract}, version ${contractVersion}`,
        ]),
        ['Data version', String(lineage.dataVersion)],
        ['Training rows', `${say(lineage.trainRows)}, SHA-256 ${lineage.trainDigest}`],
        ['Test rows', `${say(lineage.testRows)}, SHA-256 ${lineage.testDigest}`],
        ['Features', lineage.features.join(', ')],
        ['Parameters', JSON.stringify(lineage.parameters)],
        ['Seed', String(lineage.seed)],
        ['Code commit', lineage.codeCommit],
        ['Training run', lineage.runId],
      ],
    ),
    '',
  ].join('\n');
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [line(header), line(header.map(() => '---')), ...rows.map(line)];
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
