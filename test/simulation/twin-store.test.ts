import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { objectStoreContract } from '../contract/object-store.ts';
import { TwinStore } from './twin-store.ts';

objectStoreContract('the twin in memory', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bordereau-twin-'));
  return {
    store: new TwinStore(directory, () => 1_770_000_000_000),
    close: async () => rmSync(directory, { recursive: true, force: true }),
  };
});
