/*
 * What a use case's folder offers beside its declaration, where it has synthetic data: `generate.ts` (a seeded source of files
 * as partners would send them) and `demo.ts` (which of them arrive when). Both are loaded by the command line alone; no
 * deployed function reads them.
 */

/** A file as a partner would drop it. */
export type GeneratedFile = {
  /** The source of the use case that it belongs to. */
  source: string;
  fileName: string;
  bytes: Uint8Array;
  /** Its records, malformed ones included. */
  rows: number;
  /** The records that will be quarantined, by the rule that takes them; the others are good. */
  dirt: { [rule: string]: number };
};

/** A number, or the text of a file, that a generator takes from the command line, by the name of its option in camel case. */
export type GeneratorOption = { help: string; least?: number; most?: number; whole?: true; file?: true };

/** The values given to a generator: the options it declares, beside the month that the files are about. */
export type GeneratorValues = { month?: string } & { [option: string]: number | string | undefined };

/** The module `generate.ts`. The same values give the same bytes. */
export type Generator = {
  options: { [option: string]: GeneratorOption };
  examples: readonly (readonly [command: string, what: string])[];
  generate: (values: GeneratorValues) => GeneratedFile[];
};

/** The text of the newest export of a name, which partners act upon; empty where nothing has been recommended yet. */
export type Exported = (name: string) => Promise<string>;

/** Files that arrive together, at a time of the demo's own calendar. */
export type DemoStep = {
  /** ISO 8601, UTC. */
  at: string;
  headline: string;
  files: (exported: Exported) => GeneratedFile[] | Promise<GeneratedFile[]>;
  /** Until when the schedules run before the next step; ISO 8601, UTC. @default - they do not */
  until?: string;
};

/** The module `demo.ts`: the use case's story in a few steps. */
export type Demo = {
  /** The values of `generate.ts` that the demo takes from the command line. */
  values: (given: GeneratorValues) => readonly DemoStep[];
  /** The steps with a file of the user's own as the first. @default - the use case takes no such file */
  ownFile?: (file: { fileName: string; bytes: Uint8Array }) => readonly DemoStep[];
  /** Until when the schedules run after the last step; ISO 8601, UTC. */
  until: string;
};
