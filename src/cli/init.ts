import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseContract } from '../data/contract/parse.ts';
import { type Inspection, inspectFile, sourceName } from '../data/inspect/inspect.ts';
import { didYouMean } from '../data/nearest.ts';
import { quoteName } from '../data/quote.ts';
import { type SqlEngine, openSql } from '../data/sql.ts';
import { releasedContract } from '../privacy/de-identify.ts';
import { catalogueFromFolder, useCaseOf } from '../usecase/catalogue.ts';
import { dryRunFindings } from '../usecase/dry-run.ts';
import { InvalidDeclaration } from '../usecase/errors.ts';
import { required } from './arguments.ts';
import { type Command, UsageError, exitCodes } from './command.ts';
import { readGiven, writeGiven } from './files.ts';
import { initFiles } from './init-files.ts';
import { useCasesFolder } from './open.ts';

/** A fifth of the rows is for testing, and reports show a tenth of those as a group, which has at least 11 rows. */
const leastRows = 700;

export const command: Command = {
  summary: 'Makes a use case from a file: contract, features and declaration, ready to run.',
  usage: '--from FILE --label COLUMN',
  examples: [
    ['bordereau init --from insurance.csv --label charges --unit USD', 'writes usecases/insurance/'],
    ['bordereau init --from claims.parquet --label paid --id claim-cost', 'writes usecases/claim-cost/'],
  ],
  options: {
    from: { type: 'string', value: 'FILE', help: 'a sample: CSV, JSON lines or Parquet, gzip too' },
    label: { type: 'string', value: 'COLUMN', help: 'the number to predict' },
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

    const bytes = await readGiven(file);
    const sql = await openSql();
    try {
      const inspection = await inspectFile({ sql, bytes, file: basename(file), source, useCase: id });
      const { name, quantiles } = await labelOf(sql, inspection, label);
      const files = initFiles({
        id,
        source,
        label: name,
        unit: call.text('unit')!,
        inspection,
        released: releasedContract(parseContract(inspection.proposal.yaml, `${source}.odcs.yaml`)),
        quantiles,
        importPath: importPath(folder),
      });
      await writeUseCase(sql, parent, id, files);
      for (const written of Object.keys(files)) call.output.print(join(folder, written));
      call.output.note(`${inspection.rows} rows read, ${inspection.rejected.length} of them would be quarantined.`);
      if (parent === resolve(useCasesFolder))
        call.output.note(`Next: bordereau drop ${file} --use-case ${id} --source ${source}`);
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

/** The label's column in the contract, and its quantiles over the accepted rows. Throws `UsageError` where it cannot be one. */
async function labelOf(
  sql: SqlEngine,
  { proposal, header, acceptedRows, file }: Inspection,
  wanted: string,
): Promise<{ name: string; quantiles: [number, number, number] }> {
  const column = proposal.columns.find(({ name, inferred }) => name === wanted || inferred?.header === wanted);
  if (!column)
    throw new UsageError(
      `${file} has no column "${wanted}".${didYouMean(wanted, header)} It has: ${header.join(', ')}.`,
    );
  const { name, type, privacy } = column;
  if (type !== 'integer' && type !== 'number')
    throw new UsageError(`The label ${wanted} is a ${type}; models learn numbers.`);
  if (privacy !== undefined)
    throw new UsageError(`The label ${wanted} looks like ${privacy} of a person; that is not predicted.`);
  if (acceptedRows < leastRows) {
    throw new UsageError(
      `${file} has ${acceptedRows} good rows; a model needs at least ${leastRows} to begin with.`,
      `bordereau inspect ${file}`,
    );
  }
  const [found] = await sql.rows(
    `SELECT quantile_cont(${quoteName(name)}::DOUBLE, [0.5, 0.8, 0.95]) AS q FROM accepted`,
  );
  return { name, quantiles: found['q'] as [number, number, number] };
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
