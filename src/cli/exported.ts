import type { Ports } from '../ports/stage-ports.ts';
import type { Exported } from '../usecase/synthetic.ts';

/** The newest exports of a use case, as whoever acts upon them gets them. */
export function newestExports({ gold }: Ports, useCase: string): Exported {
  return async (name) => {
    let newest: { key: string; lastModifiedMs: number } | undefined;
    for await (const found of gold.list(`exports/${useCase}/`)) {
      if (!found.key.endsWith(`/${name}.csv`)) continue;
      if (newest === undefined || found.lastModifiedMs > newest.lastModifiedMs) newest = found;
    }
    return new TextDecoder().decode(newest && (await gold.get(newest.key)));
  };
}
