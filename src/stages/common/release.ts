import type { Contract } from '../../data/contract/contract.ts';
import { lineKeyPrefix } from '../../data/quality/line-keys.ts';
import type { SqlEngine } from '../../data/sql.ts';
import type { Ports } from '../../ports/stage-ports.ts';
import { deIdentify } from '../../privacy/de-identify.ts';
import { Vault } from '../../privacy/vault.ts';

/**
 * Makes `released`, a table unless told, of `accepted`: the only way of a row from the bronze zone to silver. `erased` rows, of
 * members who were erased, are not in it.
 */
export async function release(
  sql: SqlEngine,
  ports: Ports,
  {
    useCase,
    contract,
    arrivedAtMs,
    digests,
    as,
  }: {
    useCase: string;
    contract: Contract;
    arrivedAtMs: number;
    /** Of the files that the rows come from. */
    digests: readonly string[];
    as?: 'table' | 'view';
  },
): Promise<{ erased: number }> {
  const vaultOf = (domain: string) => new Vault({ ...ports, store: ports.bronze }, { useCase, domain });
  const madeUp = digests.map(lineKeyPrefix);
  return deIdentify({
    sql,
    contract,
    from: 'accepted',
    into: 'released',
    vaultOf,
    arrivedAtMs,
    madeUp,
    ...(as && { as }),
  });
}
