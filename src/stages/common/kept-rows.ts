import type { Ports } from '../../ports/stage-ports.ts';
import type { StageInput } from '../../stages.ts';
import type { Declaration } from '../../usecase/declaration.ts';
import { type RowSet, type SnapshotDocument, readFrozenSet } from './frozen-sets.ts';
import { type Remember, forgetful, memory } from './remember.ts';

/** Rows, and what is remembered of what was made of them: folds, encoded and binned, are the same for every candidate. */
export type KeptRows = { rows: RowSet; remember: Remember };

/** What this process has read last; whoever gets it does not change it. */
let kept: { of: string; rows: Promise<KeptRows> } | undefined;

/** Beyond so many cells, rows × columns, nothing is remembered: folds would be some 70 MB for each million. */
const mostRemembered = 1e6;

/**
 * The training rows, for a worker that judges one candidate after the other: the set that was read last is kept, and known by its
 * digest and by what is declared of its columns. Throws `SnapshotDamaged`.
 */
export async function keptTrainingRows(
  ports: Ports,
  snapshot: StageInput<'Tune'>['snapshot'],
  { trainDigest }: Pick<SnapshotDocument, 'trainDigest'>,
  declaration: Declaration,
): Promise<KeptRows> {
  const { entity, label, features, split } = declaration;
  const of = JSON.stringify([trainDigest, entity.key, label, features, split]);
  if (kept?.of !== of) {
    const rows = readFrozenSet(ports, snapshot, 'train', declaration).then((read) => {
      const isSmall = read.rows * Object.keys(read.columns).length <= mostRemembered;
      return { rows: read, remember: isSmall ? memory() : forgetful };
    });
    // what could not be read may be there the next time
    rows.catch(() => (kept = undefined));
    kept = { of, rows };
  }
  return kept.rows;
}
