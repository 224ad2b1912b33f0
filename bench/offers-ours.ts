/**
 * One task of `bench/offers.ts` in a process of its own, so that its peak memory can be told:
 * `node bench/offers-ours.ts generate|silver|features|lake|buckets|quality|whole|training|scoring|shap FOLDER MEMBERS [FIRST]`. The last line of standard output is the
 * measurement.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { movedClock } from '../src/adapters/embedded/moved-clock.ts';
import { SeededIds } from '../src/adapters/embedded/seeded-ids.ts';
import { parseContract } from '../src/data/contract/parse.ts';
import { silverColumns, storedType } from '../src/data/contract/silver.ts';
import { quoteName, quoteText } from '../src/data/quote.ts';
import { openSql, type SqlEngine } from '../src/data/sql.ts';
import { appendQuery } from '../src/lake/write.ts';
import type { Matrix } from '../src/ml/matrix.ts';
import { trainBoosting } from '../src/ml/trees/boosting.ts';
import type { TreeModel } from '../src/ml/trees/model.ts';
import { predict } from '../src/ml/trees/predictor.ts';
import { planDeIdentification, releasedContract } from '../src/privacy/de-identify.ts';
import { openPorts } from '../src/runtime/ports.ts';
import { openRuntime } from '../src/runtime/runtime.ts';
import { buildFeatures } from '../src/stages/build-features.ts';
import { columnsOf, readFrozenSet } from '../src/stages/common/frozen-sets.ts';
import { type Learnt, isTrees, learn, predictRows } from '../src/stages/common/learning.ts';
import { explainPairs } from '../src/stages/common/pair-factors.ts';
import { featuresPath, lakeTable, mountTable, silverPath, withSql } from '../src/stages/common/sql.ts';
import { loadEvaluation, loadVersion } from '../src/stages/common/version.ts';
import { useCaseOf } from '../src/usecase/catalogue.ts';
import { generate } from '../usecases/offer-prioritization/generate.ts';
import { offers } from '../usecases/offer-prioritization/offers.ts';

export type MeasuredOffers = { seconds: number; cpuSeconds: number; peakMb: number; note: string };

const [task, folder, members, first = '0'] = process.argv.slice(2);
const id = 'offer-prioritization';
const state = join(folder, 'state');
const useCase = new URL('../usecases/offer-prioritization/', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, useCase), 'utf8');
const contractOf = (source: string) => parseContract(read(`${source}.odcs.yaml`), source);
const sources = ['members', 'claims', 'benefits', 'engagement'];
const parquet = (source: string): string => join(folder, `${source}.*.parquet`);

const tasks: { [task: string]: () => Promise<string> } = {
  async generate() {
    const files = generate({ members, firstMember: first, dirtShare: 0 });
    for (const { source, bytes } of files) writeFileSync(join(folder, `${source}.csv`), bytes);
    return files.map(({ source, rows }) => `${rows} ${source}`).join(', ');
  },

  /** What ingestion makes of the files, without its checks: typed Parquet of the columns that leave the PHI zone as they are. */
  async silver() {
    const sql = await openSql({ memoryLimitMb: 1000 });
    for (const source of sources) {
      const { columns } = planDeIdentification(contractOf(source));
      const kept = columns.filter(({ treatment }) => treatment === 'keep' || treatment === 'cap');
      const selected = kept.map(({ column }) => {
        const delivered = column.derived?.replaceAll(/(\w+_(date|at))\b/g, '$1::TIMESTAMPTZ');
        return `(${delivered ?? column.name})::${storedType(column)} AS ${column.name}`;
      });
      const csv = `read_csv(${quoteText(join(folder, `${source}.csv`))}, all_varchar = true, header = true)`;
      await sql.run(
        `COPY (SELECT ${selected.join(', ')} FROM ${csv}) TO ${quoteText(join(folder, `${source}.${first}.parquet`))}
          (FORMAT parquet, COMPRESSION zstd)`,
      );
    }
    await sql.close();
    return '';
  },

  async features() {
    const sql = await mounted();
    const features = await processorSeconds(() => sql.run(`CREATE TEMP TABLE features AS ${read('features.sql')}`));
    const labels = await processorSeconds(() => sql.run(`CREATE TEMP TABLE labels AS ${read('labels.sql')}`));
    const [{ n }] = await sql.rows('SELECT count(*) AS n FROM features JOIN labels USING (member_id, reference_date)');
    await sql.close();
    return `${n as number} rows; processor s: features ${features.toFixed(2)}, labels ${labels.toFixed(2)}`;
  },

  /** The same rows as tables of the silver zone, as if each file had been a drop. */
  async lake() {
    const ports = await openBench();
    const sql = await openSql({ memoryLimitMb: 1000 });
    for (const source of sources) {
      const columns = silverColumns(releasedContract(contractOf(source)));
      const files = globSync(parquet(source)).sort();
      for (const [i, file] of files.entries()) {
        const from = `read_parquet(${quoteText(file)})`;
        const described = await sql.rows(`DESCRIBE FROM ${from}`);
        const there = new Set(described.map((column) => column['column_name']));
        const lineage: { [name: string]: string } = {
          _drop_id: quoteText(`drop-${i}`),
          _source_file: quoteText(`${source}-${i}.csv`),
          _line: '(row_number() OVER () + 1)::INTEGER',
          _ingested_at: `make_timestamptz(${Date.parse('2026-02-01T06:00:00Z')} * 1000)`,
        };
        const selected = columns.map(({ name, type }) => {
          const value = lineage[name] ?? (there.has(name) ? quoteName(name) : `NULL::${type}`);
          return `${value} AS ${quoteName(name)}`;
        });
        const table = lakeTable(ports, ports.silver, silverPath(id, source), sql);
        await appendQuery(table, sql, `SELECT ${selected.join(', ')} FROM ${from}`);
      }
    }
    await sql.close();
    return '';
  },

  /** Plan to Append, one bucket after the other: the peak is that of one. */
  async buckets() {
    const ports = await openBench();
    const { buckets } = useCaseOf(ports.catalogue, id).declaration.features;
    const { rows } = await buildFeatures({ useCase: id, runId: 'bench' }, ports);
    return `${rows} rows in ${buckets} buckets`;
  },

  /** The anchor: 200 rounds of 31 leaves at .05, features .8, rows .8 every 5; the rounds chosen by early stopping. */
  async quality() {
    const sql = await mounted();
    await sql.run(`CREATE TEMP TABLE features AS ${read('features.sql')}`);
    await sql.run(`CREATE TEMP TABLE labels AS ${read('labels.sql')}`);
    const described = (await sql.rows('DESCRIBE features')) as { column_name: string; column_type: string }[];
    const columns = described.filter(({ column_name: name }) => !/^(member_id|reference_date|consent_.*)$/.test(name));
    const names = columns.map((column) => column.column_name);
    const texts = columns.flatMap((column, i) => (column.column_type === 'VARCHAR' ? [i] : []));
    const coded = names.map((name, i) =>
      texts.includes(i)
        ? `(dense_rank() OVER (ORDER BY ${name}) - 1)::DOUBLE AS ${name}`
        : `${name}::DOUBLE AS ${name}`,
    );
    const labels = offers.flatMap(({ id }) => [id, `rules_${id}`]);
    const table = await sql.query(
      `SELECT ${[...coded, ...labels, `md5_number_lower(member_id) % 100 AS side`].join(', ')}
        FROM features JOIN labels USING (member_id, reference_date) ORDER BY member_id, reference_date`,
    );
    await sql.close();
    const column = (name: string) =>
      Float64Array.from({ length: table.numRows }, (_, row) => Number(table.getChild(name)!.get(row) ?? NaN));
    const [values, side] = [names.map(column), column('side')];
    const rows = (from: number, to: number) => [...side.keys()].filter((row) => side[row] >= from && side[row] < to);
    const matrix = (of: number[]): Matrix => {
      const taken = new Float64Array(of.length * names.length);
      values.forEach((from, c) => of.forEach((row, i) => (taken[c * of.length + i] = from[row])));
      return { rows: of.length, columns: names.length, names, values: taken, categorical: texts };
    };
    const outputs = (prefix: string) => offers.map(({ id }) => column(`${prefix}${id}`));
    const actual = outputs('');
    const targets = (of: number[]) =>
      Float64Array.from({ length: of.length * 16 }, (_, i) => actual[i % 16][of[i >> 4]]);

    const parameters = {
      iterations: 200,
      learningRate: 0.05,
      numLeaves: 31,
      featureFraction: 0.8,
      baggingFraction: 0.8,
      baggingFrequency: 5,
      seed: 42,
    };
    const [test, validation, fitted, training] = [rows(0, 20), rows(20, 36), rows(36, 100), rows(20, 100)];
    const stopped = trainBoosting(
      matrix(fitted),
      targets(fitted),
      { ...parameters, earlyStoppingRounds: 20 },
      {
        validation: { data: matrix(validation), target: targets(validation) },
      },
    );
    const iterations = stopped.trees.length / 16;
    const refitted = trainBoosting(matrix(training), targets(training), { ...parameters, iterations });
    const whole = trainBoosting(matrix(training), targets(training), parameters);
    const rules = outputs('rules_');
    const ceiling = judged(
      Float64Array.from({ length: test.length * 16 }, (_, i) => rules[i % 16][test[i >> 4]]),
      targets(test),
    );
    const judge = (model: typeof whole) => judged(predict(model, matrix(test)), targets(test));
    return `${iterations} rounds: ${judge(refitted)}; without the fitting on all rows: ${judge(stopped)}; 200 rounds: ${judge(whole)}; the rules themselves: ${ceiling}`;
  },

  whole,

  /** One training of 16 outputs as `Train` does it: with early stopping, and without the second fitting. */
  async training() {
    const { ports, evaluation, declaration, version } = await trained();
    const rows = await readFrozenSet(ports, evaluation.snapshot, 'train', declaration);
    const { candidate } = version.training;
    const once = { ...declaration, split: { ...declaration.split, refit: false } };
    let rounds = NaN;
    const spent = await processorSeconds(async () => {
      rounds = roundsOf((await learn(once, candidate, rows, ports)).model);
    });
    return `${rows.rows} rows, ${rounds} rounds kept; training alone ${spent.toFixed(2)} processor s`;
  },

  async scoring() {
    const { ports, learnt, columns } = await memberColumns();
    let pairs = 0;
    const spent = await processorSeconds(async () => {
      pairs = predictRows(learnt, columns, ports).length;
    });
    return `${pairs} scores; predicting alone ${spent.toFixed(2)} processor s`;
  },

  /** The five offers of highest score of every member. */
  async shap() {
    const { ports, learnt, columns } = await memberColumns();
    const scores = predictRows(learnt, columns, ports);
    const best = Array.from({ length: scores.length / 16 }, (_, row) => {
      const own = scores.subarray(row * 16, (row + 1) * 16);
      return [...own.keys()].sort((a, b) => own[b] - own[a]).slice(0, 5);
    });
    const pairs = {
      rows: Int32Array.from(best.flatMap((outputs, row) => outputs.map(() => row))),
      outputs: Int32Array.from(best.flat()),
    };
    const spent = await processorSeconds(async () => void explainPairs(learnt, columns, pairs, ports));
    const { length } = pairs.rows;
    return `${length} pairs, ${(length / spent).toFixed(0)} a processor second; explaining alone ${spent.toFixed(2)} processor s`;
  },
};

/** The members' files through every machine, from the drop to the reports, at one date; leaves its state in the folder. */
async function whole(): Promise<string> {
  const clock = movedClock(Date.parse('2026-02-01T06:00:00Z'));
  const states: string[] = [];
  const runtime = await openRuntime({
    directory: state,
    useCases: fileURLToPath(new URL('../', useCase)),
    clock,
    surrogates: new SeededIds('42'),
    onProgress: (progress) => {
      if (progress.kind === 'state-exited' && progress.milliseconds > 1000)
        states.push(`${progress.state} ${(progress.milliseconds / 1000).toFixed(1)}`);
    },
  });
  // the roster comes last: it makes the reference date
  for (const source of ['claims', 'benefits', 'engagement', 'members']) {
    const bytes = readFileSync(join(folder, `${source}.csv`));
    await runtime.drop({ useCase: id, source, fileName: `${source}.csv`, bytes });
  }
  const ended = await runtime.deliver();
  await runtime.close();
  const failed = ended.filter(({ status }) => status !== 'SUCCEEDED');
  if (failed.length > 0) throw new Error(failed.map(({ error, cause }) => `${error} ${cause}`).join('; '));
  const { version, evaluation } = await trained();
  const { r2, rmse } = evaluation.metrics;
  return `R² ${r2!.value.toFixed(4)}, RMSE ${rmse!.value.toFixed(3)}, ${roundsOf(version.learnt.model)} rounds; wall s: ${states.join(', ')}`;
}

const openBench = () =>
  openPorts({
    directory: state,
    useCases: fileURLToPath(new URL('../', useCase)),
    codeVersion: 'bench',
    useCase: id,
  });

/** The model of `whole`, and what it was judged to be. */
async function trained() {
  const ports = await openBench();
  const version = await loadVersion(ports, id, 1);
  const evaluation = await loadEvaluation(ports, version.manifest);
  const { declaration } = useCaseOf(ports.catalogue, id);
  return { ports, version, evaluation, declaration };
}

const roundsOf = (model: object): number =>
  isTrees(model as Learnt['model']) ? (model as TreeModel).trees.length / 16 : NaN;

/** The members' features as scoring reads them. */
async function memberColumns() {
  const { ports, version } = await trained();
  const columns = await withSql(ports, async (sql) => {
    await mountTable(lakeTable(ports, ports.gold, featuresPath(id), sql), sql, 'features');
    return columnsOf(await sql.query('FROM features'));
  });
  return { ports, learnt: version.learnt, columns };
}

/** R², the mean over offers, and RMSE over all. */
function judged(predicted: Float64Array, target: Float64Array): string {
  let [squares, r2] = [0, 0];
  for (let k = 0; k < 16; k++) {
    const mine = (values: Float64Array) => values.filter((_, i) => i % 16 === k);
    const [p, y] = [mine(predicted), mine(target)];
    const mean = y.reduce((sum, value) => sum + value, 0) / y.length;
    const error = y.reduce((sum, value, i) => sum + (value - p[i]) ** 2, 0);
    squares += error;
    r2 += (1 - error / y.reduce((sum, value) => sum + (value - mean) ** 2, 0)) / 16;
  }
  return `R² ${r2.toFixed(4)}, RMSE ${Math.sqrt(squares / target.length).toFixed(3)}`;
}

async function processorSeconds(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

async function mounted(): Promise<SqlEngine> {
  const sql = await openSql({ memoryLimitMb: 1400, temporaryDirectory: folder });
  for (const source of sources)
    await sql.run(`CREATE TEMP VIEW ${source} AS FROM read_parquet(${quoteText(parquet(source))})`);
  return sql;
}

const began = performance.now();
const note = await tasks[task]();
const { user, system } = process.cpuUsage();
const measured: MeasuredOffers = {
  seconds: (performance.now() - began) / 1000,
  cpuSeconds: (user + system) / 1e6,
  peakMb: process.resourceUsage().maxRSS / 1024,
  note,
};
console.log(JSON.stringify(measured));
