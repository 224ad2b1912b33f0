/** What is uploaded for the functions that decide single cases: the handler, the use case's features and its declaration. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Catalogue } from '../src/usecase/catalogue.ts';

/** A use case that decides online, and the folder of its bundled function. */
export type OnlineArtifact = { readonly useCase: string; readonly directory: string };

/**
 * Bundles `lambdas/online/decide.ts` for each use case that has an online.ts and declares a decision, below `directory`.
 * @param useCases the folder of use cases
 */
export async function bundleOnline(
  catalogue: Catalogue,
  useCases: string,
  directory: string,
): Promise<OnlineArtifact[]> {
  const online = catalogue.useCases.filter(
    ({ declaration: { id, score } }) => score.decision !== undefined && existsSync(join(useCases, id, 'online.ts')),
  );
  return Promise.all(
    online.map(async (definition) => {
      const { id } = definition.declaration;
      const folder = join(directory, `online-${id}`);
      await mkdir(folder, { recursive: true });
      await bundle(fileURLToPath(new URL('../lambdas/online/decide.ts', import.meta.url)), join(folder, 'index.mjs'));
      await bundle(join(useCases, id, 'online.ts'), join(folder, 'online.mjs'));
      await writeFile(join(folder, 'catalogue.json'), JSON.stringify({ useCases: [definition] }));
      return { useCase: id, directory: folder };
    }),
  );
}

async function bundle(entry: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [entry],
    absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    // CommonJS inside the bundle (X-Ray's SDK) asks for Node's own modules by `require`
    banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
    logLevel: 'error',
  });
}
