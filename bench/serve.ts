/**
 * Real-time decisions of claim-decision: one claim in process, batches on one core, over loopback HTTP, and beside them what was
 * weighed and not taken: features by a prepared DuckDB statement, a cache of features and one of predictions.
 * Run by `node bench/serve.ts`; the claims and the model are seeded.
 */
import { createHash } from 'node:crypto';
import { DuckDBInstance } from '@duckdb/node-api';
import { listen } from '../src/adapters/embedded/http-server.ts';
import { applyBeta, fitBeta } from '../src/ml/calibration/beta.ts';
import type { DenseFile } from '../src/ml/dense/model-file.ts';
import { denseRows } from '../src/ml/dense/network.ts';
import { applyDesign, fitDesign } from '../src/ml/encoders/design.ts';
import { tfliteOf } from '../src/ml/formats/tflite/network.ts';
import { toInt8 } from '../src/ml/formats/tflite/quantise.ts';
import type { Matrix } from '../src/ml/matrix.ts';
import { random } from '../src/ml/random.ts';
import { trainBoosting } from '../src/ml/trees/boosting.ts';
import { boostingParameters } from '../src/ml/trees/parameters.ts';
import { predict } from '../src/ml/trees/predictor.ts';
import { Decider } from '../src/serving/decider.ts';
import { nothingLive } from '../src/serving/live-versions.ts';
import { Measures } from '../src/serving/measures.ts';
import { onlineModelOf, tfliteOnline } from '../src/serving/online-model.ts';
import { Service, mostBodyBytes } from '../src/serving/service.ts';
import { Traffic } from '../src/serving/traffic.ts';
import { begin, print } from './table.ts';
import { drawRequests } from '../usecases/claim-decision/draw-requests.ts';
import { online } from '../usecases/claim-decision/online.ts';

const names = online.featureNames;
const { requests, approved } = drawRequests({ rows: 20_000, seed: 42 });
const nowMs = Date.UTC(2026, 2, 1);
const rowMajor = new Float64Array(requests.length * names.length);
for (const [row, request] of requests.entries()) online.read(request, rowMajor, row * names.length, nowMs);
const matrix: Matrix = {
  rows: requests.length,
  columns: names.length,
  names,
  values: Float64Array.from(
    { length: rowMajor.length },
    (_, i) => rowMajor[(i % requests.length) * names.length + Math.floor(i / requests.length)],
  ),
};
const parameters = boostingParameters.parse({
  objective: 'binary',
  iterations: 200,
  learningRate: 0.05,
  maxDepth: 5,
  seed: 42,
});
const model = trainBoosting(matrix, approved, parameters);
const calibrator = fitBeta(predict(model, matrix), approved);
const columns = Object.fromEntries(
  names.map((name, c) => [name, matrix.values.subarray(c * matrix.rows, (c + 1) * matrix.rows)]),
);
const design = fitDesign(
  columns,
  names.map((column) => ({ column, as: 'number' })),
);
const live = { version: 1, model: onlineModelOf({ design, model, calibrator }, names) };

const silent = { info: () => undefined, warn: () => undefined, measure: () => undefined };
const service = new Service({
  useCase: 'claim-decision',
  decider: new Decider(online, {
    negative: 'reject',
    review: 'review',
    positive: 'approve',
    reviewFrom: 0.25,
    positiveFrom: 0.8,
  }),
  traffic: new Traffic('approve'),
  measures: new Measures(),
  telemetry: silent,
  nowMs: () => nowMs,
  monotonicMs: () => performance.now(),
});
service.use({ ...nothingLive, control: live, head: 'bench' });
const encoder = new TextEncoder();
const post = (body: Uint8Array) =>
  service.handle({ method: 'POST', path: '/decide', contentType: 'application/json', body });

const lines: [what: string, result: string][] = [];
const bodies = requests.map((request) => encoder.encode(JSON.stringify(request)));
lines.push(['one claim, in process', quantiles(requests.map((request) => () => service.decide([request])))]);
lines.push(['one claim, from and to JSON', quantiles(bodies.map((body) => () => post(body)))]);
const batches = Array.from({ length: 20 }, (_, b) => requests.slice(b * 1000, (b + 1) * 1000));
const batchBodies = batches.map((batch) => encoder.encode(JSON.stringify(batch)));
lines.push(['batches of 1,000, in process', rate(() => batches.forEach((batch) => service.decide(batch)))]);
lines.push(['batches of 1,000, from and to JSON', rate(() => batchBodies.forEach((body) => post(body)))]);
const own = new Float64Array(names.length);
lines.push([
  '  of it: validation and features',
  rate(() => requests.forEach((request) => online.read(request, own, 0, nowMs))),
]);
lines.push(['  of it: model and calibration', rate(() => live.model.score(rowMajor, requests.length))]);
lines.push([
  '  the same by the batch predictor (WebAssembly)',
  rate(() => applyBeta(calibrator, predict(model, matrix))),
]);

for (const precision of ['float32', 'int8'] as const) {
  const file = network(precision);
  const dense = tfliteOnline(file, names, calibrator);
  const one = rowMajor.subarray(0, names.length);
  lines.push([
    `a 7-16-8-1 network, ${precision} .tflite: one claim`,
    quantiles(requests.map(() => () => dense.score(one, 1))),
  ]);
  lines.push([
    `a 7-16-8-1 network, ${precision} .tflite: all at once`,
    rate(() => dense.score(rowMajor, requests.length)),
  ]);
}

const server = await listen((request) => service.handle(request), { host: '127.0.0.1', port: 0, mostBodyBytes });
const url = `http://127.0.0.1:${server.port}/decide`;
const overHttp: number[] = [];
for (const body of bodies.slice(0, 3000)) {
  const startedMs = performance.now();
  await (
    await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: Buffer.from(body) })
  ).text();
  overHttp.push(performance.now() - startedMs);
}
lines.push(['one claim over loopback HTTP, client included', quantilesOf(overHttp.slice(500))]);
await server.close();

const features = new Map<string, Float64Array>();
const cachedFeatures = (request: object) => {
  const key = createHash('sha256').update(JSON.stringify(request)).digest('base64');
  const known = features.get(key);
  if (known) return known;
  online.read(request, own, 0, nowMs);
  features.set(key, own.slice());
  return own;
};
requests.forEach(cachedFeatures);
lines.push(['cache of features by the claim’s hash, every one a hit', rate(() => requests.forEach(cachedFeatures))]);

const predictions = new Map<string, number>();
const bytesOf = (row: number) =>
  Buffer.from(rowMajor.buffer, row * names.length * 8, names.length * 8).toString('latin1');
for (const row of requests.keys()) predictions.set(bytesOf(row), 0);
lines.push(['cache of predictions by the features’ bytes, every one a hit', rate(() => { for (const row of requests.keys()) predictions.get(bytesOf(row)); })]); // prettier-ignore

const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
await connection.run('CREATE TABLE rates AS SELECT range::VARCHAR AS code, 1.0 AS rate FROM range(100)');
const prepared = await connection.prepare(
  `SELECT ln(1 + $1::DOUBLE)::FLOAT, count(*)::FLOAT, coalesce(sum(u::DOUBLE), 0), bool_or(c LIKE 'S%')
    FROM (SELECT unnest(string_split($2, '|')) AS c, unnest(string_split($3, '|')) AS u)`,
);
const byDuckdb: number[] = [];
for (const request of requests.slice(0, 1500)) {
  const startedMs = performance.now();
  prepared.bindDouble(1, request.total_charges);
  prepared.bindVarchar(2, request.lines.map((line) => line.procedure_code).join('|'));
  prepared.bindVarchar(3, request.lines.map((line) => line.units).join('|'));
  await (await prepared.run()).getRows();
  byDuckdb.push(performance.now() - startedMs);
}
lines.push(['a part of the features by a prepared DuckDB statement', quantilesOf(byDuckdb.slice(300))]);

begin();
for (const [what, figure] of lines) print({ case: `claim-decision: ${what.trim()}`, side: 'ours', figure });

/** Weights are random: they cost what trained ones do. */
function network(precision: 'float32' | 'int8'): DenseFile {
  const draw = random(5);
  const layer = (inputs: number, units: number, activation: 'relu' | 'sigmoid') => ({
    inputs,
    units,
    activation,
    weights: Float32Array.from({ length: inputs * units }, () => draw.normal(0, 0.6)),
    bias: new Float32Array(units),
  });
  const scaled = fitDesign(
    columns,
    names.map((column) => ({ column, as: 'number', scale: 'standard' })),
  );
  const layers = [layer(7, 16, 'relu'), layer(16, 8, 'relu'), layer(8, 1, 'sigmoid')];
  const float = tfliteOf({ featureNames: names, layers });
  const representative = denseRows(names.length, applyDesign(scaled, columns)).subarray(0, 300 * names.length);
  return { design: scaled, model: precision === 'int8' ? toInt8(float, representative) : float };
}

/** Each call timed alone, after a warm-up over a tenth of them. */
function quantiles(calls: readonly (() => unknown)[]): string {
  for (const call of calls.slice(0, calls.length / 10)) call();
  return quantilesOf(
    calls.map((call) => {
      const startedMs = performance.now();
      call();
      return performance.now() - startedMs;
    }),
  );
}

function quantilesOf(milliseconds: number[]): string {
  const sorted = Float64Array.from(milliseconds).sort();
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))].toFixed(3);
  return `p50 ${at(0.5)} ms  p99 ${at(0.99)} ms  p99.9 ${at(0.999)} ms`;
}

/** Claims per processor second over all of them, garbage collection and all: the best of five. */
function rate(run: () => unknown): string {
  const seconds = Array.from({ length: 5 }, () => {
    const started = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(started);
    return (user + system) / 1e6;
  });
  return `${Math.round(requests.length / Math.min(...seconds)).toLocaleString('en-US')} claims/s`;
}
