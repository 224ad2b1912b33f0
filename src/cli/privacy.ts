import { userInfo } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { DirectoryStore } from '../adapters/embedded/directory-store.ts';
import { privacyClassOf } from '../data/contract/privacy-class.ts';
import { listVersions } from '../governance/registry.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { planDeIdentification } from '../privacy/de-identify.ts';
import { eraseMember } from '../privacy/erase.ts';
import { groupSizes } from '../privacy/quasi.ts';
import { releaseTable } from '../privacy/release-table.ts';
import { type Finding, ownDaysOf, scanDirectory } from '../privacy/scan.ts';
import { UnknownSurrogate, Vault } from '../privacy/vault.ts';
import { snapshotPrefix } from '../stages/common/frozen-sets.ts';
import { type Cell, csvText } from '../recommend/csv-text.ts';
import { forgetDecisions } from '../serving/decision-log.ts';
import { lakeTable, mountTable, silverPath, withSql } from '../stages/common/sql.ts';
import { zones } from '../stages.ts';
import { type UseCase, contractOf, useCaseOf } from '../usecase/catalogue.ts';
import { type Call, type Command, type ExitCode, UsageError, exitCodes } from './command.ts';
import { writeGiven } from './files.ts';
import { type NamedTable, tablesOf } from './lake.ts';
import { type VaultsPorts, deployedVault } from './deployed-vault.ts';
import { localCatalogue, localPorts, useCaseOption } from './open.ts';

export const command: Command = {
  summary: 'Shows what leaves the PHI zone, looks for identifiers outside it, erases and re-identifies members.',
  usage: 'plan | scan | groups | release SOURCE | erase MEMBER | reveal SURROGATE',
  examples: [
    ['bordereau privacy plan', 'what becomes of each column between bronze and silver'],
    ['bordereau privacy scan', 'looks for the 18 Safe Harbor classes in everything but bronze (exit code 3 if found)'],
    ['bordereau privacy groups', 'how many people share their quasi-identifiers, in each table'],
    [
      'bordereau privacy release policies --out p.csv',
      'a source’s rows for others: nobody in a group of fewer than 11',
    ],
    ['bordereau privacy erase 1000042 --reason "request of 12 May"', 'deletes a member everywhere and for good'],
    ['bordereau privacy reveal 5f0c… --reason "claim 4711"', 'the member behind a surrogate; it is recorded who asked'],
    [
      'bordereau privacy reveal 5f0c… --reason "claim 4711" --bucket BRONZE --vault-key ARN',
      'the same of a deployment, in its role for that',
    ],
  ],
  options: {
    'use-case': useCaseOption,
    out: { type: 'string', value: 'FILE', help: 'where release writes its CSV' },
    reason: { type: 'string', value: 'TEXT', help: 'why; erase and reveal need it for the audit log' },
    bucket: { type: 'string', value: 'NAME', help: 'reveal from a deployment: the name of its bronze bucket' },
    'vault-key': { type: 'string', value: 'ARN', help: 'reveal from a deployment: the key of its vaults' },
    actor: { type: 'string', value: 'NAME', help: 'who, for the audit log; the user of this machine unless told' },
  },
  positionals: { min: 1, max: 2 },
  async run(call) {
    const [verb, subject] = call.positionals;
    if (!Object.hasOwn(verbs, verb)) {
      throw new UsageError(
        `"privacy" knows ${Object.keys(verbs).join(', ')}, not "${verb}".`,
        'bordereau privacy scan',
      );
    }
    const { run, takes } = verbs[verb];
    if ((subject === undefined) !== (takes === undefined)) {
      throw new UsageError(
        `"privacy ${verb}" takes ${takes === undefined ? 'nothing' : `one ${takes}`} behind it.`,
        'bordereau privacy --help',
      );
    }
    const [bucket, vaultKey] = [call.text('bucket'), call.text('vault-key')];
    if (bucket !== undefined || vaultKey !== undefined) {
      if (verb !== 'reveal' || bucket === undefined || vaultKey === undefined) {
        throw new UsageError(
          '"--bucket" and "--vault-key" go together, and with "privacy reveal" only.',
          'bordereau privacy --help',
        );
      }
      const useCase = useCaseOf(await localCatalogue(), call.text('use-case')!);
      return reveal(call, await deployedVault(bucket, vaultKey), useCase);
    }
    const ports = await localPorts(call);
    return run(call, ports, useCaseOf(ports.catalogue, call.text('use-case')!));
  },
};

type Verb = { takes?: string; run: (call: Call, ports: Ports, useCase: UseCase) => Promise<ExitCode> };

const verbs: { [verb: string]: Verb } = {
  plan: { run: plan },
  scan: { run: scan },
  groups: { run: groups },
  release: { takes: 'SOURCE', run: release },
  erase: { takes: 'MEMBER', run: erase },
  reveal: { takes: 'SURROGATE', run: reveal },
};

async function plan({ output }: Call, _: Ports, { contracts }: UseCase): Promise<ExitCode> {
  const columns = Object.entries(contracts).flatMap(([source, { contract }]) =>
    planDeIdentification(contract).columns.map(({ column, privacy, declared, treatment }) => ({
      source,
      column: column.name,
      class: privacy,
      declared,
      treatment,
    })),
  );
  output.table(
    ['source', 'column', 'class', 'treatment'],
    columns.map((row) => [
      row.source,
      row.column,
      row.declared ? row.class : `${row.class} (not declared)`,
      row.treatment,
    ]),
  );
  output.document({ columns });
  return exitCodes.ok;
}

/** Everything that the state directory holds outside bronze and its keys. */
async function scan(call: Call, ports: Ports): Promise<ExitCode> {
  const outside = [...zones.filter((zone) => zone !== 'bronze'), 'runtime'].map((name) => ({
    place: `${name}/`,
    store: new DirectoryStore(join(call.directory, name)),
  }));
  const recordTimes = ports.catalogue.useCases.flatMap(({ declaration, contracts }) => [
    // the time as of which a row of features holds
    declaration.entity.eventTime,
    ...Object.values(contracts).flatMap(({ contract }) =>
      contract.columns
        // what is declared to be nothing of a person may be a day too: a batch's
        .filter((column) => privacyClassOf(column) === 'recordTime' || column.privacy === 'none')
        .map(({ name }) => name),
    ),
  ]);
  const ownDays = await ownDaysOf(outside.map(({ store }) => store));
  const findings: Finding[] = await withSql(ports, async (sql) => {
    const found = [];
    for (const { place, store } of outside)
      found.push(await scanDirectory(store, { sql, place, ownDays, recordTimes }));
    return found.flat();
  });
  if (findings.length === 0)
    call.output.print(
      'Nothing that looks like an identifier lies outside bronze. That is evidence, no legal determination.',
    );
  else {
    call.output.table(
      ['class', 'place', 'count'],
      findings.map((finding) => [finding.class, finding.place, String(finding.count)]),
    );
  }
  call.output.document({ findings });
  return findings.length === 0 ? exitCodes.ok : exitCodes.dataGateFailed;
}

async function groups(call: Call, ports: Ports, useCase: UseCase): Promise<ExitCode> {
  const { declaration, contracts } = useCase;
  const quasi = new Set(Object.values(contracts).flatMap(({ contract }) => planDeIdentification(contract).quasi));
  return withSql(ports, async (sql) => {
    const rows = [];
    for (const { name, table } of outsideBronze(ports, useCase)) {
      const latest = await table.latest();
      const columns = latest?.schema.fields.map((field) => field.name) ?? [];
      if (!latest || !columns.includes(declaration.entity.key)) continue;
      await mountTable(table, sql, name);
      const shared = columns.filter((column) => quasi.has(column));
      const sizes = await groupSizes(sql, { from: name, quasi: shared, person: declaration.entity.key });
      rows.push({ table: name, quasi: shared, ...sizes });
    }
    call.output.table(
      ['table', 'quasi-identifiers', 'people', 'groups', 'smallest', 'groups below 11', 'people in them'],
      rows.map((row) => [
        row.table,
        row.quasi.join(', '),
        ...[row.people, row.groups, row.smallest, row.smallGroups, row.peopleInSmallGroups].map((n) =>
          n.toLocaleString('en-US'),
        ),
      ]),
    );
    call.output.document({ tables: rows });
    return exitCodes.ok;
  });
}

/** A source's silver rows as a file for others, with nobody in too small a group. */
async function release(call: Call, ports: Ports, useCase: UseCase): Promise<ExitCode> {
  const { declaration } = useCase;
  const source = call.positionals[1];
  const out = call.text('out');
  if (out === undefined) throw new UsageError('Say where to.', `bordereau privacy release ${source} --out FILE`);
  const contract = contractOf(useCase, source);
  return withSql(ports, async (sql) => {
    const table = lakeTable(ports, ports.silver, silverPath(declaration.id, source), sql);
    if (!(await mountTable(table, sql, 'silver_rows')))
      throw new UsageError(`Nothing of ${source} is in silver yet.`, `bordereau drop FILE --source ${source}`);
    const { columns, ...counts } = await releaseTable(sql, {
      contract,
      from: 'silver_rows',
      into: 'for_others',
      ...(contract.columns.some(({ name }) => name === declaration.entity.key) && { person: declaration.entity.key }),
    });
    const rows = (await sql.rows('FROM for_others ORDER BY ALL')) as { [column: string]: Cell }[];
    const cells = rows.map((row) => columns.map((column) => row[column]));
    await writeGiven(out, new TextEncoder().encode(csvText(columns, cells, 'people')));
    call.output.table(
      ['rows', 'count'],
      [
        ['released', counts.released],
        ...Object.entries(counts.generalised).map(([column, n]) => [`  ${column} made coarser`, n] as const),
        ['  no quasi-identifier left', counts.blanked],
        [`left out, as fewer than ${counts.smallestGroup} people`, counts.leftOut],
      ].map(([what, n]) => [String(what), n.toLocaleString('en-US')]),
    );
    call.output.document({ source, file: out, ...counts });
    return exitCodes.ok;
  });
}

async function erase(call: Call, ports: Ports, useCase: UseCase): Promise<ExitCode> {
  const { id, entity } = useCase.declaration;
  const by = accountable(call);
  const erased = await withSql(ports, (sql) =>
    eraseMember({
      vault: new Vault({ ...ports, store: ports.bronze }, { useCase: id, domain: entity.key }),
      identifier: call.positionals[1],
      pseudonym: keyIsPseudonym(useCase),
      by,
      sql,
      tables: outsideBronze(ports, useCase, sql)
        .filter(({ path }) => !path.startsWith('drift/'))
        .map((named) => ({ ...named, column: entity.key })),
      exports: { store: ports.gold, prefix: `exports/${id}/` },
      quarantines: tablesOf(ports, id, sql).filter(({ name }) => name.startsWith('quarantine')),
      forgetDecisions: (identifier) => forgetDecisions(ports.bronze, id, identifier),
      learntFrom: (surrogate) => learntFrom(ports, useCase, surrogate),
    }),
  );
  const { known, deleted, exports, decisions, retrain } = erased;
  call.output.print(
    known
      ? 'The member is erased and will not be let in again.'
      : 'The vault held nothing of such a member; none will be let in.',
  );
  call.output.table(
    ['table, export or log', 'rows deleted'],
    Object.entries({ ...deleted, ...exports, decisions }).map(([place, rows]) => [place, String(rows)]),
  );
  if (retrain.length > 0)
    call.output.print(`Trained on the member, to be trained again: version ${retrain.join(', ')} (bordereau retrain).`);
  call.output.note(
    'Older versions of the tables go by `bordereau tables vacuum`, delivered files when bronze’s retention ends. Whoever was sent an export has to be told. A server that is running writes what it still holds within a minute: erase once more behind it.',
  );
  call.output.document(erased);
  return exitCodes.ok;
}

/** Whether the sources carry the entity's key as the insurer's own pseudonym. */
const keyIsPseudonym = ({ declaration: { entity }, contracts }: UseCase): boolean =>
  Object.values(contracts).some(({ contract }) =>
    contract.columns.some((column) => column.name === entity.key && privacyClassOf(column) === 'pseudonym'),
  );

async function reveal(call: Call, ports: VaultsPorts, useCase: UseCase): Promise<ExitCode> {
  const { id, entity } = useCase.declaration;
  if (keyIsPseudonym(useCase)) {
    throw new UsageError(
      `${entity.key} of ${id} is a pseudonym that the insurer gave out: only the insurer can tell whose it is.`,
    );
  }
  const vault = new Vault({ ...ports, store: ports.bronze }, { useCase: id, domain: entity.key });
  const by = accountable(call);
  try {
    const member = await vault.reidentify(call.positionals[1], by);
    call.output.print(member);
    call.output.document({ member });
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof UnknownSurrogate) throw new UsageError(error.message, 'bordereau privacy --help');
    throw error;
  }
}

function accountable(call: Call): { actor: string; reason: string } {
  const reason = call.text('reason');
  if (!reason)
    throw new UsageError(
      'Say why: it stands in the audit log.',
      `bordereau privacy ${call.positionals.join(' ')} --reason "…"`,
    );
  return { actor: call.text('actor') ?? userInfo().username, reason };
}

const outsideBronze = (ports: Ports, { declaration }: UseCase, sql?: Parameters<typeof tablesOf>[2]): NamedTable[] =>
  tablesOf(ports, declaration.id, sql).filter(({ zone }) => zone !== 'bronze');

/** The versions whose frozen training rows have the surrogate among their keys, and those whose rows are not there to look at. */
async function learntFrom(
  ports: Ports,
  { declaration: { id, entity } }: UseCase,
  surrogate: string,
): Promise<number[]> {
  const versions = [];
  for (const { version, lineage } of await listVersions(ports.registry, id)) {
    const frozen = await ports.registry.get(`${snapshotPrefix({ useCase: id, runId: lineage.runId })}train.arrow`);
    const keys = frozen && tableFromIPC(frozen).getChild(entity.key);
    if (!keys || keys.indexOf(surrogate) >= 0) versions.push(version);
  }
  return versions;
}
