#!/usr/bin/env node
// Plain JavaScript, so that any Node ≥ 20 can start it: the product itself runs on the Node 24 that npm installed with it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

const installedNode = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));

if (Number(process.versions.node.split('.')[0]) >= 24) {
  // keeps compiled code between runs: half of a short command's time is compiling the same files
  nodeModule.enableCompileCache();
  // whoever reads our output has seen enough (`| head`): that is no failure
  process.stdout.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  const { main } = await import('./main.ts');
  process.exitCode = await main(process.argv.slice(2));
} else if (existsSync(installedNode)) {
  const child = spawnSync(installedNode, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  process.exitCode = child.status ?? 1;
} else {
  console.error(
    `Bordereau runs on Node 24 and this is ${process.version}; the project's own Node 24 is not installed yet.\nRun: npm ci`,
  );
  process.exitCode = 1;
}
