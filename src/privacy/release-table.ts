import type { Contract } from '../data/contract/contract.ts';
import type { PrivacyClass } from '../data/contract/privacy-class.ts';
import { smallestGroup } from '../data/quality/profile.ts';
import { quoteName } from '../data/quote.ts';
import type { SqlEngine } from '../data/sql.ts';
import { planDeIdentification, releasedContract } from './de-identify.ts';
import { type Generalisation, type Suppressed, suppressSmallGroups } from './quasi.ts';

export type ReleaseInput = {
  contract: Contract;
  /** A table or view with the silver rows of the contract's source. */
  from: string;
  /** The temporary table that is made. */
  into: string;
  /** The column that tells people apart. @default - each row is somebody */
  person?: string;
};

export type Released = Suppressed & { columns: string[]; quasi: string[]; smallestGroup: number };

/**
 * Makes a table that may be given to others of a source's de-identified rows: the columns that the contract classes and no
 * lineage, and no fewer than `smallestGroup` people in any group of quasi-identifiers. Of those in smaller groups the ZIP code
 * goes first, then the year of birth, then the age becomes its ten years; then all quasi-identifiers; then the rows.
 */
export async function releaseTable(sql: SqlEngine, { contract, from, into, person }: ReleaseInput): Promise<Released> {
  const columns = releasedContract(contract).columns.map(({ name }) => name);
  const k = contract.smallestGroup ?? smallestGroup;
  const plan = planDeIdentification(contract);
  const ofClass = (wanted: PrivacyClass) =>
    plan.columns.filter(({ privacy }) => privacy === wanted).map(({ column }) => column.name);
  const coarser: Generalisation[] = [
    ...[...ofClass('zip'), ...ofClass('birthDate')].map((column) => ({ column, to: 'blank' as const })),
    ...ofClass('age').map((column) => ({ column, to: 'tenYears' as const })),
  ];
  await sql.run(
    `CREATE OR REPLACE TEMP VIEW rows_of_source AS SELECT ${columns.map(quoteName).join(', ')} FROM ${quoteName(from)}`,
  );
  const suppressed = await suppressSmallGroups(sql, {
    from: 'rows_of_source',
    into,
    quasi: plan.quasi,
    ...(person !== undefined && { person }),
    k,
    coarser,
  });
  return { ...suppressed, columns, quasi: plan.quasi, smallestGroup: k };
}
