import { quoteName, quoteText } from '../../data/quote.ts';
import type { SqlEngine } from '../../data/sql.ts';
import { numbers } from '../../ml/encoders/columns.ts';
import { type PeriodConfusion, confusionByPeriod } from '../../monitoring/confusion.ts';
import type { ConfusionOverTime } from '../../report/facts.ts';
import type { Declaration } from '../../usecase/declaration.ts';
import { bandsOf, labelColumns, taskOf } from '../../usecase/label.ts';
import { describeMetric, type MetricSet } from './metric-set.ts';
import { daysOf } from './duration.ts';
import { columnsOf } from './frozen-sets.ts';
import { currentFeatures } from './sql.ts';

/** What is followed from month to month, beside the decisions themselves. */
const followed = ['precision', 'recall', 'f1', 'roc_auc'] as const;

/**
 * Of an event: what was decided while nobody knew, against what is known and final by now, by month of the event time. A case counts
 * once, by its first prediction; one whose truth came with it was no prediction. Reads the views `predictions` and `features`.
 * Empty for an amount.
 */
export async function confusionOverTime(
  sql: SqlEngine,
  declaration: Declaration,
  { metrics, nowMs }: { metrics: MetricSet; nowMs: number },
): Promise<PeriodConfusion[]> {
  if (taskOf(declaration) !== 'binary') return [];
  const { entity, label } = declaration;
  const [truth] = labelColumns(declaration).map(quoteName);
  const [key, time] = [entity.key, entity.eventTime].map(quoteName);
  const columns = columnsOf(
    await sql.query(
      `WITH decided AS (
          SELECT ${key}, ${time}, p.prediction, p.category
          FROM predictions p JOIN features f USING (${key}, ${time}, _batch) WHERE f.${truth} IS NULL
          QUALIFY row_number() OVER (PARTITION BY ${key}, ${time} ORDER BY p.predicted_at, p.model_version) = 1
        )
        SELECT ${time} AS at, d.prediction, d.category, c.${truth}::DOUBLE AS truth
        FROM decided d JOIN (${currentFeatures(declaration)}) c USING (${key}, ${time})
        WHERE c.${truth} IS NOT NULL ORDER BY ALL`,
    ),
  );
  const at = numbers('at', columns['at']);
  const isFinal = (row: number) => at[row] + daysOf(label.maturity) * 86_400_000 <= nowMs;
  const rows = Array.from(at.keys()).filter(isFinal);
  const taken = (name: string) => {
    const values = numbers(name, columns[name]);
    return Float64Array.from(rows, (row) => values[row]);
  };
  return confusionByPeriod(
    {
      periods: rows.map((row) => new Date(at[row]).toISOString().slice(0, 7)),
      decisions: rows.map((row) => String(columns['category'][row])),
      actual: taken('truth'),
      predicted: taken('prediction'),
    },
    bandsOf(declaration).map(({ name }) => name),
    Object.fromEntries(followed.map((name) => [name, metrics[name]])),
  );
}

/** The same as a query: one row for each period and decision. */
export function confusionRows(periods: readonly PeriodConfusion[]): string {
  const rows = periods.flatMap(({ period, cells, metrics }) =>
    cells.map(({ decision, happened, notHappened }) => {
      const values = followed.map((name) => metrics[name] ?? 'NULL');
      return `(${[quoteText(period), quoteText(decision), happened, notHappened, ...values].join(', ')})`;
    }),
  );
  const metrics = followed.map((name) => `${name}::DOUBLE AS ${name}`);
  return `SELECT period, decision, happened::INTEGER AS happened, not_happened::INTEGER AS not_happened, ${metrics.join(', ')}
    FROM (VALUES ${rows.join(', ')}) AS periods (period, decision, happened, not_happened, ${followed.join(', ')})`;
}

/** And as the report shows it; undefined where nothing is known yet. */
export function confusionFacts(
  declaration: Declaration,
  periods: readonly PeriodConfusion[],
): ConfusionOverTime | undefined {
  if (periods.length === 0) return undefined;
  const { decision } = declaration.score;
  return {
    decisions: bandsOf(declaration).map(({ name }) => name),
    ...(decision && { review: decision.review }),
    metrics: followed.map((name) => describeMetric(name, declaration.label.unit)),
    periods: periods.map(({ metrics, ...period }) => ({
      ...period,
      metrics: followed.map((name) => metrics[name] ?? NaN),
    })),
  };
}
