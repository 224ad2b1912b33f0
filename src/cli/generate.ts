import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UnknownUseCase } from '../usecase/errors.ts';
import type { Generated } from '../../usecases/insurance-cost/generate.ts';
import { type Call, type Command, UsageError, exitCodes } from './command.ts';
import { writeGiven } from './files.ts';
import { localCatalogue, useCasesFolder } from './open.ts';

type Limits = { help: string; least?: number; most?: number; whole?: true };

/** The numbers that a generator takes, by option. */
const numberOptions: { [option: string]: Limits } = {
  rows: { help: 'records to write, malformed ones included', least: 1, whole: true },
  seed: { help: 'the same seed gives the same file', whole: true },
  sigma: { help: 'noise of the costs; 0.25 lets R² reach .845, 0.3 is the compatibility profile (.787)', least: 0 },
  inflation: { help: 'factor on all charges', least: 0.01 },
  'aged-by': { help: 'years by which the population is older' },
  'dirt-share': { help: 'share of records that break the contract', least: 0, most: 1 },
};

export const command: Command = {
  summary: 'Writes a seeded synthetic file of a use case, with realistic dirt.',
  usage: 'USE_CASE --out FILE [options]',
  examples: [
    ['bordereau generate insurance-cost --rows 5000 --out policies.csv', 'a month of policies'],
    [
      'bordereau generate insurance-cost --month 2026-02 --inflation 1.15 --aged-by 8 --out february.csv',
      'a month that has drifted',
    ],
    [
      'bordereau generate insurance-cost --sigma 0.3 --out noisy.csv',
      'costs so noisy that the gate R² ≥ .80 refuses every model',
    ],
  ],
  options: {
    out: { type: 'string', value: 'FILE', help: 'where to write; - is stdout' },
    month: { type: 'string', value: 'YYYY-MM', help: 'the month in which the rows are recorded' },
    ...Object.fromEntries(
      Object.entries(numberOptions).map(([name, { help }]) => [name, { type: 'string', value: 'N', help } as const]),
    ),
  },
  positionals: { min: 1, max: 1 },
  async run(call) {
    const [id] = call.positionals;
    const generate = await generatorOf(id);
    const numbers = Object.entries(numberOptions).flatMap(([name, limits]) => {
      const value = numberWithin(call, name, limits);
      return value === undefined ? [] : [[camel(name), value]];
    });
    const month = call.text('month');
    if (month !== undefined && !/^\d{4}-(0[1-9]|1[0-2])$/.test(month))
      throw new UsageError(`--month takes YYYY-MM, not "${month}".`);
    const generated = generate({ ...Object.fromEntries(numbers), ...(month && { month }) });

    const out = call.text('out') ?? generated.fileName;
    if (out === '-') process.stdout.write(generated.csv);
    else {
      await writeGiven(out, generated.csv);
      const bad = Object.values(generated.dirt).reduce((sum, count) => sum + count, 0);
      call.output.note(`${generated.rows} records, ${bad} of them broken on purpose, in ${resolve(out)}`);
      call.output.document({ file: resolve(out), rows: generated.rows, dirt: generated.dirt });
    }
    return exitCodes.ok;
  },
};

function numberWithin(
  call: Call,
  option: string,
  { least = -Infinity, most = Infinity, whole }: Limits,
): number | undefined {
  const value = call.number(option);
  if (value === undefined || (value >= least && value <= most && !(whole && !Number.isInteger(value)))) return value;
  const bounds = [least > -Infinity && `at least ${least}`, most < Infinity && `at most ${most}`]
    .filter(Boolean)
    .join(' and ');
  throw new UsageError(`--${option} takes a ${whole ? 'whole ' : ''}number${bounds && ` of ${bounds}`}, not ${value}.`);
}

type Generate = (options: object) => Generated;

/** The generator in the use case's folder. */
export async function generatorOf(id: string): Promise<Generate> {
  const { useCases } = await localCatalogue();
  const ids = useCases.map(({ declaration }) => declaration.id);
  if (!ids.includes(id)) throw new UnknownUseCase(id, ids);
  const file = pathToFileURL(join(useCasesFolder, id, 'generate.ts')).href;
  const { generate } = (await import(file)) as { generate: Generate };
  return generate;
}

const camel = (option: string) => option.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
