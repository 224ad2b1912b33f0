import type { Command } from './command.ts';
import { type Output, tableLines } from './output.ts';

/** `bordereau --help`: what it is, where to begin, every command on a line. */
export async function overview(
  commands: Record<string, () => Promise<{ command: Command }>>,
  output: Output,
): Promise<void> {
  output.print('Bordereau turns dropped insurance files into governed, explained and monitored predictions.');
  output.print();
  output.print('Begin with:  bordereau demo');
  output.print();
  const rows = await Promise.all(
    Object.entries(commands).map(async ([name, load]) => [name, (await load()).command.summary]),
  );
  for (const line of tableLines(['command', 'what it does'], rows)) output.print(line);
  output.print();
  output.print(
    'Every command: --dir DIR (state, default .bordereau), --use-cases DIR (default: the product’s), --json, --quiet, --no-color, --help.',
  );
  output.print('Exit codes: 0 ok, 1 crash, 2 usage, 3 data gate failed, 4 model gate refused, 5 drift alert, 6 AWS.');
}

/** `bordereau COMMAND --help`: the examples first. */
export function commandHelp(name: string, command: Command): string[] {
  const options = Object.entries(command.options).map(
    ([option, { help, value, default: fallback }]) =>
      `  --${`${option}${value ? ` ${value}` : ''}`.padEnd(22)} ${help}${fallback === undefined || fallback === false ? '' : ` (default ${String(fallback)})`}`,
  );
  return [
    command.summary,
    '',
    'Examples:',
    ...command.examples.flatMap(([line, does]) => [`  ${line}`, `      ${does}`]),
    '',
    `Usage: bordereau ${name} ${command.usage}`.trimEnd(),
    ...(options.length ? ['', 'Options:', ...options] : []),
  ];
}
