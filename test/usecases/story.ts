import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { movedClock } from '../../src/adapters/embedded/moved-clock.ts';
import { SeededIds } from '../../src/adapters/embedded/seeded-ids.ts';
import { happen } from '../../src/cli/demo-story.ts';
import type { DemoDocument } from '../../src/cli/demo-summary.ts';
import type { Json } from '../../src/data/json.ts';
import { type Ended, type Runtime, openRuntime } from '../../src/runtime/runtime.ts';
import { lakeTable, mountTable, withSql } from '../../src/stages/common/sql.ts';
import type { Zone } from '../../src/stages.ts';
import type { DeclarationInput } from '../../src/usecase/declaration.ts';
import type { Demo, GeneratorValues } from '../../src/usecase/synthetic.ts';

/** A demo told to its end, and the state that it left. */
export type Told = {
  document: DemoDocument;
  ended: Ended[];
  runtime: Runtime;
  rows(zone: Zone, path: string, query: string): Promise<{ [column: string]: Json }[]>;
  close(): Promise<void>;
};

/**
 * Tells the demo of a use case as `bordereau demo` does, by another declaration of it (with fewer candidates) and files of
 * another size. All else in its folder is the product's own.
 */
export async function tellDemo(declaration: DeclarationInput, demo: Demo, values: GeneratorValues): Promise<Told> {
  const useCase = declaration.id;
  const path = mkdtempSync(join(tmpdir(), 'bordereau-story-'));
  const [directory, useCases] = [join(path, 'state'), join(path, 'usecases')];
  mkdirSync(join(useCases, useCase), { recursive: true });
  const product = fileURLToPath(new URL(`../../usecases/${useCase}/`, import.meta.url));
  for (const name of readdirSync(product)) {
    if (/\.(yaml|sql)$/.test(name)) cpSync(join(product, name), join(useCases, useCase, name));
  }
  writeFileSync(join(useCases, useCase, 'usecase.ts'), `export default ${JSON.stringify(declaration)};\n`);

  const steps = demo.values(values);
  const clock = movedClock(Date.parse(steps[0].at));
  const runtime = await openRuntime({ directory, useCases, clock, surrogates: new SeededIds('42'), threads: 1 });
  const story = { useCase, steps, until: demo.until };
  const { document, ended } = await happen(runtime, clock, story, { directory, headline: () => undefined });
  return {
    document,
    ended,
    runtime,
    rows: (zone, table, query) =>
      withSql(runtime.ports, async (sql) => {
        await mountTable(lakeTable(runtime.ports, runtime.ports[zone], table, sql), sql, 'rows');
        return sql.rows(query);
      }),
    async close() {
      await runtime.close();
      rmSync(path, { recursive: true, force: true });
    },
  };
}
