/**
 * A large CSV through the stage Validate, against DuckDB's own `COPY` of the same file to Parquet in the same run:
 * `node bench/ingest.ts [--megabytes 1000] [--identifiers]`. Each side is a process of its own. The file is seeded and lies in
 * the temporary directory: typed columns, one row in fifty quoted, one in a thousand bad, a few keys twice. With `--identifiers`
 * its key is an identifier, for which the vault keeps a surrogate of its own each.
 */
import { spawnSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { link, mkdir } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { random } from '../src/ml/random.ts';
import { openSql } from '../src/data/sql.ts';
import { openPorts } from '../src/runtime/ports.ts';
import { stageFunctions } from '../src/runtime/stages.ts';
import { runStage } from '../src/stages/run.ts';
import { readReceipt } from '../src/stages/common/receipt.ts';
import { parseContract } from '../src/data/contract/parse.ts';
import { begin, print } from './table.ts';

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '1000' },
    identifiers: { type: 'boolean', default: false },
    side: { type: 'string' },
    folder: { type: 'string' },
  },
});
type Measured = { seconds: number; cpuSeconds: number; peakMb: number; rows: string };
const sides: { [side: string]: (folder: string) => Promise<string> } = { bordereau: validateStage, duckdb: copy };
const useCases = fileURLToPath(new URL('../usecases', import.meta.url));

if (values.side === undefined) await main();
else console.log(JSON.stringify(await measured(sides[values.side], values.folder!)));

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bordereau-bench-'));
  try {
    await generate(join(folder, 'policies.csv'), Number(values.megabytes) * 1e6);
    const megabytes = statSync(join(folder, 'policies.csv')).size / 1e6;
    begin();
    const [peer, own] = ['duckdb', 'bordereau'].map((side) => run(side, folder));
    const name = `ingesting ${megabytes.toFixed(0)} MB of CSV`;
    const show = (side: string, { seconds, cpuSeconds, peakMb, rows }: Measured, ratio?: number) => {
      const rate = `${seconds.toFixed(1)} s by the clock, ${(megabytes / seconds).toFixed(0)} MB/s; ${rows}`;
      print({ case: name, side, cpuSeconds, ratio, figure: rate, peakMb });
    };
    show('ours, the stage Validate', own);
    show('DuckDB COPY', peer, own.cpuSeconds / peer.cpuSeconds);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(side: string, folder: string): Measured {
  const args = [...process.argv.slice(1), '--side', side, '--folder', folder];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...process.execArgv, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Measured;
}

async function measured(work: (folder: string) => Promise<string>, folder: string): Promise<Measured> {
  const [startedMs, before] = [performance.now(), process.cpuUsage()];
  const rows = await work(folder);
  const { user, system } = process.cpuUsage(before);
  const peakMb = (process.resourceUsage().maxRSS * 1024) / 1e6;
  return { seconds: (performance.now() - startedMs) / 1000, cpuSeconds: (user + system) / 1e6, peakMb, rows };
}

async function copy(folder: string): Promise<string> {
  const sql = await openSql({ temporaryDirectory: folder, memoryLimitMb: 768 });
  // told the dialect, for with bad rows in its sample the sniffer takes each line for one column; it drops those rows
  const dialect = `delim = ',', quote = '"', header = true, all_varchar = true, ignore_errors = true`;
  const from = `read_csv('${folder}/policies.csv', ${dialect})`;
  await sql.run(`COPY (SELECT * FROM ${from}) TO '${folder}/copy.parquet' (FORMAT parquet)`);
  const [{ n }] = (await sql.rows(`SELECT count(*) AS n FROM '${folder}/copy.parquet'`)) as { n: number }[];
  await sql.close();
  return `${n}`;
}

async function validateStage(folder: string): Promise<string> {
  const directory = join(folder, 'state');
  const ports = await openPorts({ directory, useCases, codeVersion: 'bench' });
  const declared = ports.catalogue.useCases.find(({ declaration }) => declaration.id === 'insurance-cost')!;
  const policies = { file: 'policies.odcs.yaml', yaml: contract(), contract: parseContract(contract(), 'the bench') };
  const declaration = { ...declared.declaration, profiles: {} };
  const catalogue = { useCases: [{ ...declared, declaration, contracts: { policies } }] };
  const key = 'drops/insurance-cost/policies/policies.csv';
  await mkdir(dirname(join(directory, 'bronze', key)), { recursive: true });
  await link(join(folder, 'policies.csv'), join(directory, 'bronze', key));
  const input = { runId: 'drop-bench', key, etag: '' };
  await runStage('Validate', stageFunctions.Validate, input, { ...ports, catalogue });
  const { rows, status, reason } = (await readReceipt(ports, { useCase: 'insurance-cost', runId: 'drop-bench' }))!;
  if (status !== 'accepted') throw new Error(reason);
  return `${rows.dropped} = ${rows.accepted} silver + ${rows.quarantined} quarantine`;
}

function contract(): string {
  const columns = [
    ['policy_id', 'string', 'VARCHAR', 'primaryKey: true, required: true, unique: true', 'pseudonym'],
    ['recorded_at', 'timestamp', 'TIMESTAMP', 'required: true', 'recordTime'],
    ['product', 'string', 'VARCHAR', 'required: true', 'none'],
    ['territory', 'string', 'VARCHAR', 'required: true', 'none'],
    ['age', 'integer', 'INTEGER', 'required: true, logicalTypeOptions: { minimum: 0, maximum: 120 }', 'age'],
    ['vehicle_age', 'integer', 'INTEGER', 'logicalTypeOptions: { minimum: 0 }', 'none'],
    ['annual_mileage', 'integer', 'INTEGER', 'logicalTypeOptions: { minimum: 0 }', 'none'],
    ['sum_insured', 'number', 'DOUBLE', 'logicalTypeOptions: { exclusiveMinimum: 0 }', 'none'],
    ['premium', 'number', 'DECIMAL(12,2)', 'required: true, logicalTypeOptions: { minimum: 0 }', 'none'],
    ['deductible', 'integer', 'INTEGER', 'logicalTypeOptions: { minimum: 0 }', 'none'],
    ['claims', 'integer', 'INTEGER', 'logicalTypeOptions: { minimum: 0 }', 'none'],
    ['paid', 'number', 'DECIMAL(12,2)', 'logicalTypeOptions: { minimum: 0 }', 'none'],
    ['active', 'boolean', 'BOOLEAN', 'required: true', 'none'],
    ['status', 'string', 'VARCHAR', 'required: false', 'none'],
  ];
  const properties = columns.map(([name, logical, physical, rest, privacy]) => {
    const privately = name === 'policy_id' && values.identifiers ? 'identifier' : privacy;
    return `      - { name: ${name}, logicalType: ${logical}, physicalType: "${physical}", ${rest}, customProperties: [{ property: privacy, value: ${privately} }] }`;
  });
  return `apiVersion: v3.1.0
kind: DataContract
id: urn:bench:policies
version: 1.0.0
status: active
schema:
  - name: policies
    customProperties:
      - { property: maximumQuarantinedShare, value: 0.1 }
      - { property: controlTotals, value: [premium, paid] }
    properties:
${properties.join('\n')}
`;
}

/** Rows of about 110 bytes. */
async function generate(path: string, bytes: number): Promise<void> {
  const chance = random(20_260_101);
  const out = createWriteStream(path);
  let text =
    'policy_id,recorded_at,product,territory,age,vehicle_age,annual_mileage,sum_insured,premium,deductible,claims,paid,active,status\n';
  for (let i = 0, size = 0; size < bytes; i++) {
    const two = (value: number) => String(value).padStart(2, '0');
    const id = i % 100_000 === 99_999 ? i - 5 : i;
    const at = `2026-${two(1 + (i % 12))}-${two(1 + (i % 28))}T${two(i % 24)}:15:30Z`;
    const bad = i % 1000 === 500;
    const row = [
      `P${String(id).padStart(9, '0')}`,
      bad && i % 2000 === 500 ? '30.02.2026' : at,
      ['motor', 'home', 'travel', 'liability'][i & 3],
      ['north', 'south', 'east', 'west', 'centre'][i % 5],
      18 + chance.integer(70),
      chance.integer(20),
      chance.integer(30_000),
      (1 + chance.uniform() * 500_000).toFixed(2),
      (chance.uniform() * 2000).toFixed(2),
      [0, 250, 500, 1000][chance.integer(4)],
      chance.integer(3),
      (chance.uniform() * 9000).toFixed(2),
      chance.uniform() < 0.9,
      i % 50 === 7 ? '"renewed, by broker"' : 'renewed by broker',
    ].slice(0, bad ? 13 : 14);
    const line = `${row.join(',')}\n`;
    size += line.length;
    text += line;
    if (text.length < 2 ** 20) continue;
    if (!out.write(text)) await once(out, 'drain');
    text = '';
  }
  out.end(text);
  await once(out, 'close');
}
