import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseContract } from '../data/contract/parse.ts';
import { cleanCsv, isPadded } from '../data/inspect/clean.ts';
import { type Inspection, inspectFile, sourceName } from '../data/inspect/inspect.ts';
import { didYouMean } from '../data/nearest.ts';
import { quoteName, quoteText } from '../data/quote.ts';
import { type SqlEngine, openSql } from '../data/sql.ts';
import { releasedContract } from '../privacy/de-identify.ts';
import { catalogueFromFolder, useCaseOf } from '../usecase/catalogue.ts';
import { dryRunFindings } from '../usecase/dry-run.ts';
import { InvalidDeclaration } from '../usecase/errors.ts';
import { list, required } from './arguments.ts';
import { type Command, UsageError, exitCodes } from './command.ts';
import { readGiven, writeGiven } from './files.ts';
import { type InitFeatures, type InitLabel, featuresOf, initFiles } from './init-files.ts';
import { useCasesFolder } from './open.ts';

/** A fifth of the rows is for testing, and reports show a tenth of those as a group, which has at least 11 rows. */
const leastRows = 700;

export const command: Command = {
  summary: 'Makes a use case from a file: contract, features and declaration, ready to run.',
  usage: '--from FILE --label COLUMN [--positive VALUE]',
  examples: [
    ['bordereau init --from insurance.csv --label charges --unit USD', 'writes usecases/insurance/'],
    ['bordereau init --from claims.parquet --label paid --id claim-cost', 'writes usecases/claim-cost/'],
    [
      'bordereau init --from applications.csv --label outcome --positive claim --sensitive sex,region',
      'an event and its probability, compared between groups',
    ],
    [
      'bordereau init --from raw.csv --header age,sex,lapsed --label lapsed --clean lapses.csv',
      'of a file without a header line',
    ],
  ],
  options: {
    from: { type: 'string', value: 'FILE', help: 'a sample: CSV, JSON lines or Parquet, gzip too' },
    label: { type: 'string', value: 'COLUMN', help: 'the number or the event to predict' },
    positive: {
      type: 'string',
      value: 'VALUE',
      help: 'of a label with two values: the event; by default true, 1, or the rarer text',
    },
    sensitive: { type: 'string', value: 'COLUMNS', help: 'features by whose values people are compared, as a,b' },
    header: { type: 'string', value: 'NAMES', help: 'the columns of a file without a header line, as a,b,c' },
    clean: {
      type: 'string',
      value: 'FILE',
      help: 'where to write the sample as ingestion takes it: with a header, without blanks beside delimiters',
    },
    unit: { type: 'string', value: 'UNIT', default: 'units', help: 'of the label; an ISO 4217 code is shown as money' },
    id: { type: 'string', value: 'NAME', help: 'what the use case is called; by default after the file' },
    source: { type: 'string', value: 'NAME', help: 'what the source is called; by default after the file' },
    'use-cases': {
      type: 'string',
      value: 'DIR',
      help: 'the folder in which it is made; by default usecases/ of the product',
    },
  },
  positionals: { min: 0, max: 0 },
  async run(call) {
    const file = required(call, 'from', 'the sample to begin from');
    const label = required(call, 'label', 'the column that models learn to predict');
    const source = call.text('source') ?? sourceName(basename(file));
    if (!/^[A-Za-z][A-Za-z0-9_]{0,89}$/.test(source))
      throw new UsageError(`--source takes letters, digits and "_", not "${source}".`);
    const id = call.text('id') ?? source.replaceAll(/_+/g, '-').toLowerCase();
    if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(id)) {
      throw new UsageError(`--id takes words of small letters and digits joined by "-", not "${id}".`);
    }
    const parent = resolve(call.text('use-cases') ?? useCasesFolder);
    const folder = join(parent, id);
    if (existsSync(folder))
      throw new UsageError(`There is a use case "${id}" already, at ${folder}. Choose another name by --id.`);

    const header = list(call, 'header');
    const clean = call.text('clean');
    const given = await readGiven(file);
    const bytes = clean === undefined ? given : cleanCsv(given, { file: basename(file), header });
    const sql = await openSql();
    try {
      const inspection = await inspectFile({ sql, bytes, file: basename(file), source, useCase: id, event: label });
      if (clean === undefined) ensureClean(inspection, header);
      const released = releasedContract(parseContract(inspection.proposal.yaml, `${source}.odcs.yaml`));
      const learnt = await labelOf(sql, inspection, label, call.text('positive'));
      const features = featuresOf({ inspection, released, label: learnt });
      const sensitive = sensitiveIn(list(call, 'sensitive') ?? [], inspection, features);
      const files = initFiles({
        id,
        source,
        label: learnt,
        unit: call.text('unit')!,
        inspection,
        features,
        sensitive,
        importPath: importPath(folder),
      });
      if (clean !== undefined) await writeGiven(clean, bytes);
      await writeUseCase(sql, parent, id, files);
      for (const written of Object.keys(files)) call.output.print(join(folder, written));
      call.output.note(`${inspection.rows} rows read, ${inspection.rejected.length} of them would be quarantined.`);
      if (parent === resolve(useCasesFolder))
        call.output.note(`Next: bordereau drop ${clean ?? file} --use-case ${id} --source ${source}`);
      call.output.document({
        id,
        source,
        folder,
        files: Object.keys(files),
        rows: inspection.rows,
        rejectedRows: inspection.rejected.length,
      });
      return exitCodes.ok;
    } finally {
      await sql.close();
    }
  },
};

/** Throws `UsageError` where ingestion would not read the file as it is meant: then a copy of it is what can be dropped. */
function ensureClean({ file, dialect }: Inspection, header: readonly string[] | undefined): void {
  if (header) {
    throw new UsageError(
      `Ingestion reads the columns of ${file} from its first line. Give --clean FILE too: there a copy with this header is written.`,
    );
  }
  if (dialect && isPadded(dialect)) {
    throw new UsageError(
      `${file} has blanks beside its delimiters, and ingestion never trims. Give --clean FILE: there a copy without them is written.`,
    );
  }
}

/** The label as it will be learnt. Throws `UsageError` where the column cannot be one. */
async function labelOf(
  sql: SqlEngine,
  { proposal, header, headerLooksLikeData, acceptedRows, file }: Inspection,
  wanted: string,
  positive: string | undefined,
): Promise<InitLabel> {
  const column = proposal.columns.find(({ name, inferred }) => name === wanted || inferred?.header === wanted);
  if (!column) {
    throw new UsageError(
      headerLooksLikeData
        ? `${file} has no column "${wanted}", and its first line looks like a row: name the columns by --header a,b,c.`
        : `${file} has no column "${wanted}".${didYouMean(wanted, header)} It has: ${header.join(', ')}.`,
    );
  }
  const { name, type, inferred, privacy } = column;
  const isNumber = type === 'integer' || type === 'number';
  if (privacy !== undefined)
    throw new UsageError(`The label ${wanted} looks like ${privacy} of a person; that is not predicted.`);
  if (!isNumber && type !== 'boolean' && type !== 'string')
    throw new UsageError(`The label ${wanted} is a ${type}; models learn numbers and events.`);
  if (type === 'string' && inferred?.levels?.length !== 2) {
    const has = inferred?.levels ? `${inferred.levels.length} values` : 'many values';
    throw new UsageError(`The label ${wanted} is a text with ${has}; models learn numbers, and events of two values.`);
  }
  if (acceptedRows < leastRows) {
    throw new UsageError(
      `${file} has ${acceptedRows} good rows; a model needs at least ${leastRows} to begin with.`,
      `bordereau inspect ${file}`,
    );
  }
  if (isNumber && !inferred?.zeroOrOne) {
    if (positive !== undefined)
      throw new UsageError(`--positive is for a label of two values; ${wanted} is a number of many.`);
    const [found] = await sql.rows(
      `SELECT quantile_cont(${quoteName(name)}::DOUBLE, [0.5, 0.8, 0.95]) AS q FROM accepted`,
    );
    return { name, task: 'regression', quantiles: found['q'] as [number, number, number] };
  }
  const values = await valuesOf(sql, name);
  if (values.length !== 2)
    throw new UsageError(`The label ${wanted} has only one value in ${file}: there is nothing to tell apart.`);
  const usual = type === 'string' ? values[0] : values.find((value) => value === 'true' || value === '1')!;
  if (positive !== undefined && !values.includes(positive))
    throw new UsageError(`--positive takes a value of ${wanted}: ${values.join(', ')}.`);
  const event = positive ?? usual;
  return { name, task: 'binary', positive: event, literal: type === 'string' ? quoteText(event) : event };
}

/** The values of a column as texts, the rarest first. */
async function valuesOf(sql: SqlEngine, name: string): Promise<string[]> {
  const column = quoteName(name);
  const counted = await sql.rows(
    `SELECT ${column}::VARCHAR AS value FROM accepted WHERE ${column} IS NOT NULL GROUP BY 1 ORDER BY count(*), 1`,
  );
  return counted.map(({ value }) => value as string);
}

/** The names in the contract of the columns that groups are told by. Throws `UsageError` where one is no feature. */
function sensitiveIn(wanted: readonly string[], { proposal, header }: Inspection, features: InitFeatures): string[] {
  const { numeric, booleans, categorical, left } = features;
  return wanted.map((given) => {
    const column = proposal.columns.find(({ name, inferred }) => name === given || inferred?.header === given);
    if (!column) throw new UsageError(`--sensitive: there is no column "${given}".${didYouMean(given, header)}`);
    if ([...numeric, ...booleans, ...categorical].includes(column.name)) return column.name;
    const why = left.find(({ name }) => name === column.name)?.why ?? 'is the key, the time or the label';
    throw new UsageError(`--sensitive: ${given} is no feature, for it ${why}.`);
  });
}

/** From the use case's folder to the product, as an import. */
function importPath(folder: string): string {
  const target = fileURLToPath(new URL('../usecase/declaration.ts', import.meta.url));
  return relative(folder, target).split(sep).join('/');
}

/** Writes the files and holds them against everything that a use case is held against; nothing is left of one that fails. */
async function writeUseCase(
  sql: SqlEngine,
  parent: string,
  id: string,
  files: { [file: string]: string },
): Promise<void> {
  const folder = join(parent, id);
  await mkdir(folder, { recursive: true });
  try {
    for (const [name, text] of Object.entries(files))
      await writeGiven(join(folder, name), new TextEncoder().encode(text));
    const findings = await dryRunFindings(sql, useCaseOf(await catalogueFromFolder(parent), id));
    if (findings.length > 0) throw new InvalidDeclaration(`${id}/usecase.ts`, findings);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}
