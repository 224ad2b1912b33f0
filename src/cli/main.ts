import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { nearest } from '../data/nearest.ts';
import { type Call, type Command, type ExitCode, UsageError, exitCodes } from './command.ts';
import { exitCodeOf, explain } from './failure.ts';
import { commandHelp, overview } from './help.ts';
import { chooseUseCases } from './open.ts';
import { type Output, createOutput } from './output.ts';

/** Every command with its one-line summary; the file is loaded when the command is called. */
export const commands: Record<string, () => Promise<{ command: Command }>> = {
  demo: () => import('./demo.ts'),
  inspect: () => import('./inspect.ts'),
  init: () => import('./init.ts'),
  generate: () => import('./generate.ts'),
  drop: () => import('./drop.ts'),
  run: () => import('./run.ts'),
  replay: () => import('./replay.ts'),
  score: () => import('./score.ts'),
  monitor: () => import('./monitor.ts'),
  retrain: () => import('./retrain.ts'),
  registry: () => import('./registry.ts'),
  quarantine: () => import('./quarantine.ts'),
  privacy: () => import('./privacy.ts'),
  tables: () => import('./tables.ts'),
  sql: () => import('./sql.ts'),
  report: () => import('./report.ts'),
  asl: () => import('./asl.ts'),
  model: () => import('./model.ts'),
  compare: () => import('./compare.ts'),
  fairness: () => import('./fairness.ts'),
  evaluate: () => import('./evaluate.ts'),
  explain: () => import('./explain.ts'),
  feedback: () => import('./feedback.ts'),
  serve: () => import('./serve.ts'),
  experiment: () => import('./experiment.ts'),
};

const common = {
  dir: { type: 'string', default: '.bordereau' },
  'use-cases': { type: 'string' },
  json: { type: 'boolean', default: false },
  quiet: { type: 'boolean', short: 'q', default: false },
  'no-color': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const satisfies ParseArgsOptionsConfig;

/** Runs one command line and gives its exit code; nothing is thrown. */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  const color = !argv.includes('--no-color') && !process.env['NO_COLOR'] && process.stderr.isTTY;
  const output = createOutput({
    json: argv.includes('--json'),
    quiet: argv.includes('--quiet') || argv.includes('-q'),
    color,
  });
  chooseUseCases(given(argv, '--use-cases'));
  try {
    return await dispatch(argv, output);
  } catch (error) {
    for (const line of explain(error, output)) output.error(line);
    return exitCodeOf(error);
  }
}

/** What is given for an option, before the command that it is for is known. */
function given(argv: readonly string[], option: string): string | undefined {
  const at = argv.findIndex((arg) => arg === option || arg.startsWith(`${option}=`));
  return at < 0 ? undefined : argv[at] === option ? argv[at + 1] : argv[at].slice(option.length + 1);
}

async function dispatch([name, ...rest]: readonly string[], output: Output): Promise<ExitCode> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    await overview(commands, output);
    return name === undefined ? exitCodes.usage : exitCodes.ok;
  }
  if (!(name in commands)) {
    const guess = nearest(name, Object.keys(commands));
    throw new UsageError(
      `There is no command "${name}".${guess ? ` Did you mean "${guess}"?` : ''}`,
      `bordereau ${guess ?? '--help'}`,
    );
  }
  const { command: general } = await commands[name]();
  const command = { ...general, options: { ...general.options, ...(await general.moreOptions?.(rest)) } };
  const { values, positionals } = parse(name, command, rest);
  if (values['help']) {
    for (const line of commandHelp(name, command)) output.print(line);
    return exitCodes.ok;
  }
  const { min, max } = command.positionals;
  if (positionals.length < min || positionals.length > max) {
    throw new UsageError(
      `"${name}" takes ${min === max ? min : `${min} to ${max}`} word${max === 1 ? '' : 's'} after its name, ${positionals.length} given.`,
      `bordereau ${name} ${command.usage}`,
    );
  }
  return await command.run(call(values, positionals, output));
}

type Values = { [option: string]: string | boolean | (string | boolean)[] | undefined };

function parse(name: string, command: Command, args: readonly string[]): { values: Values; positionals: string[] } {
  const options: ParseArgsOptionsConfig = { ...common };
  for (const [option, { help: _help, value: _value, ...config }] of Object.entries(command.options))
    options[option] = config;
  const unknown = args.find(
    (arg) => arg.startsWith('--') && arg.length > 2 && !(arg.slice(2).split('=')[0] in options),
  );
  if (unknown) {
    const guess = nearest(unknown.slice(2), Object.keys(options));
    throw new UsageError(
      `"${name}" has no option ${unknown}.${guess ? ` Did you mean --${guess}?` : ''}`,
      `bordereau ${name} --help`,
    );
  }
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message, `bordereau ${name} --help`);
  }
}

function call(values: Values, positionals: string[], output: Output): Call {
  const text = (option: string) => values[option] as string | undefined;
  return {
    positionals,
    text,
    number: (option) => {
      const given = text(option);
      if (given === undefined) return undefined;
      if (!/^-?\d+(\.\d+)?$/.test(given)) throw new UsageError(`--${option} takes a number, not "${given}".`);
      return Number(given);
    },
    flag: (option) => values[option] === true,
    directory: text('dir') ?? '.bordereau',
    output,
  };
}
