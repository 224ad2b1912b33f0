/** What is uploaded for the functions. It is built once and is the same, to the byte, in every environment. */
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildResult, build, type Metafile, type Plugin } from 'esbuild';
import { duckdbLayer, type Layer } from '../layers/duckdb/build.ts';
import { type StageName, stageNames } from '../src/stages.ts';
import { kebab } from './names.ts';

export type Artifacts = {
  /** The folder of each stage's bundled handler, `index.mjs`, and of the catalogue of use cases beside it. */
  handlers: Readonly<Record<StageName, { directory: string; needsDuckdb: boolean }>>;
  duckdb: Layer;
};

/**
 * Builds everything below `directory`, where the layer of an earlier time is used again.
 * @param catalogue all use cases, as one JSON document
 */
export async function buildArtifacts(catalogue: string, directory: string): Promise<Artifacts> {
  const [handlers, duckdb] = await Promise.all([
    bundleHandlers(catalogue, join(directory, 'bundles')),
    duckdbLayer(join(directory, 'layers')),
  ]);
  return { handlers, duckdb };
}

/**
 * Bundles `lambdas/<stage>.ts` with everything it imports, all handlers in one pass, into a folder per stage. The AWS SDK is
 * bundled as well: what runs is then the version that was tested, and not the one that the runtime happens to have.
 */
export async function bundleHandlers(catalogue: string, directory: string): Promise<Artifacts['handlers']> {
  await rm(directory, { recursive: true, force: true });
  const [{ metafile }, ...built] = await Promise.all([bundle(directory), ...threads.map(bundleThread)]);
  const handlers = stageNames.map(async (stage) => {
    const folder = join(directory, stage);
    const inputs = inputsOf(metafile, stage);
    await writeFile(join(folder, 'catalogue.json'), catalogue);
    if (inputs.some((input) => input.includes('@tensorflow/tfjs-backend-wasm/'))) {
      await copyFile(wasmFile(), join(folder, wasmName));
    }
    for (const { name, code, startedBy } of built) {
      if (inputs.includes(startedBy)) await writeFile(join(folder, name), code);
    }
    return [stage, { directory: folder, needsDuckdb: needsDuckdb(metafile, stage) }] as const;
  });
  return Object.fromEntries(await Promise.all(handlers)) as unknown as Artifacts['handlers'];
}

const handlerFile = (stage: StageName) => fileURLToPath(new URL(`../lambdas/${kebab(stage)}.ts`, import.meta.url));

/** Second threads: each begins with a file of its own, which lies beside the handlers whose code starts it. */
const threads = [
  { entry: 'src/ml/trees/training-thread.ts', startedBy: 'src/ml/trees/boosting.ts' },
  { entry: 'src/data/quality/segment-thread.ts', startedBy: 'src/data/quality/second-reader.ts' },
];

async function bundleThread({ entry, startedBy }: (typeof threads)[number]) {
  const { outputFiles } = await build({ ...bundling, entryPoints: [entry], write: false });
  return { name: basename(entry).replace('.ts', '.mjs'), code: outputFiles[0].contents, startedBy };
}

function bundle(outdir: string): Promise<BuildResult<{ metafile: true }>> {
  return build({
    entryPoints: stageNames.map((stage) => ({ in: handlerFile(stage), out: `${stage}/index` })),
    ...bundling,
    outdir,
    outExtension: { '.js': '.mjs' },
    mainFields: ['module', 'main'],
    // CommonJS inside the bundle asks for Node's own modules by `require` (X-Ray's SDK) and for its folder (TensorFlow.js)
    banner: {
      js: [
        "import { createRequire } from 'node:module';",
        'const require = createRequire(import.meta.url);',
        'const __dirname = import.meta.dirname;',
      ].join('\n'),
    },
    plugins: [fromLayer],
    metafile: true,
  });
}

const bundling = {
  absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  logLevel: 'error',
} as const;

/**
 * Native packages come from the layer, in `/opt/nodejs/node_modules`. Only `require` looks there (by `NODE_PATH`); an `import`
 * does not, so it is turned into one.
 */
const fromLayer: Plugin = {
  name: 'from-layer',
  setup(build) {
    build.onResolve({ filter: /^@duckdb\// }, ({ path, namespace }) =>
      namespace === 'from-layer' ? { path, external: true } : { path, namespace: 'from-layer' },
    );
    build.onLoad({ filter: /.*/, namespace: 'from-layer' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};

const needsDuckdb = (metafile: Metafile, stage: StageName): boolean =>
  inputsOf(metafile, stage).some((input) => input.startsWith(`${fromLayer.name}:`));

function inputsOf({ outputs }: Metafile, stage: StageName): string[] {
  const [, output] = Object.entries(outputs).find(([path]) => path.endsWith(`/${stage}/index.mjs`))!;
  // what is left out as unused is listed with no bytes
  return Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : []));
}

/** The kernels that dense networks are trained with: no code, so that no bundler carries them along. */
const wasmName = 'tfjs-backend-wasm-simd.wasm';
const wasmFile = () => join(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')), wasmName);
