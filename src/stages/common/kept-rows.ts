import type { Ports } from '../../ports/stage-ports.ts';
import type { StageInput } from '../../stages.ts';
import type { Declaration } from '../../usecase/declaration.ts';
import { type RowSet, type SnapshotDocument, readFrozenSet } from './frozen-sets.ts';

/** What this process has read last; whoever gets it does not change it. */
let kept: { of: string; rows: Promise<RowSet> } | undefined;

/**
 * The training rows, for a worker that judges one candidate after the other: the set that was read last is kept, and known by its
 * digest and the columns that its labels and keys are. Throws `SnapshotDamaged`.
 */
export async function keptTrainingRows(
  ports: Ports,
  snapshot: StageInput<'Tune'>['snapshot'],
  { trainDigest }: Pick<SnapshotDocument, 'trainDigest'>,
  declaration: Declaration,
): Promise<RowSet> {
  const of = JSON.stringify([trainDigest, declaration.entity.key, declaration.label]);
  if (kept?.of !== of) {
    const rows = readFrozenSet(ports, snapshot, 'train', declaration);
    // what could not be read may be there the next time
    rows.catch(() => (kept = undefined));
    kept = { of, rows };
  }
  return kept.rows;
}
