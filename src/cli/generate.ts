import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { GeneratedFile } from '../usecase/synthetic.ts';
import { type Command, UsageError, exitCodes } from './command.ts';
import { writeGiven } from './files.ts';
import { generatorOf, generatorOptions, generatorValues } from './synthetic.ts';

export const command: Command = {
  summary: 'Writes seeded synthetic files of a use case, with realistic dirt.',
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
    ['bordereau generate offer-prioritization --out drops', 'the files of all its sources, in folders named like them'],
    ['bordereau generate claim-decision --help', 'the options of that use case'],
  ],
  options: {
    out: { type: 'string', value: 'FILE', help: 'where to write: a file, - for stdout, a directory for several files' },
    month: { type: 'string', value: 'YYYY-MM', help: 'the month that the files are about' },
  },
  moreOptions: (args) => generatorOptions(args.find((arg) => !arg.startsWith('-'))),
  positionals: { min: 1, max: 1 },
  async run(call) {
    const [id] = call.positionals;
    const { options, generate } = await generatorOf(id);
    const files = generate(generatorValues(call, options));
    const out = call.text('out');
    if (out === '-') {
      if (files.length > 1) throw new UsageError(`${id} has ${files.length} files: --out names a directory for them.`);
      process.stdout.write(files[0].bytes);
      return exitCodes.ok;
    }
    const written = [];
    for (const file of files) {
      const path = resolve(files.length === 1 ? (out ?? file.fileName) : join(out ?? '.', file.source, file.fileName));
      if (files.length > 1) await mkdir(dirname(path), { recursive: true });
      await writeGiven(path, file.bytes);
      call.output.note(`${file.rows} records, ${brokenIn(file)} of them broken on purpose, in ${path}`);
      written.push({ file: path, source: file.source, rows: file.rows, dirt: file.dirt });
    }
    call.output.document(written.length === 1 ? written[0] : { files: written });
    return exitCodes.ok;
  },
};

const brokenIn = ({ dirt }: GeneratedFile) => Object.values(dirt).reduce((sum, count) => sum + count, 0);
