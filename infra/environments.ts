/** The three deployments, typed: what differs between them stands here, with its reason, and nowhere else. */
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Node } from 'constructs';

export type Environment = {
  name: 'dev' | 'staging' | 'prod';
  /** Whether buckets and keys outlive their stack, and the stack refuses to be deleted. */
  keepsData: boolean;
  /** How long a raw drop is kept. Its rows live on in the silver and quarantine tables. */
  dropRetentionDays: number;
  /** How long an overwritten or deleted object can be restored. */
  restoreDays: number;
  /** How long nobody can delete or replace what the registry recorded; 0 is no lock. */
  registryLockDays: number;
  /** For functions, state machines and access to the buckets. */
  logRetention: RetentionDays;
  /** Whether functions that see insured data run in a network whose only way out is S3, and there only these buckets. */
  isolated: boolean;
  /** Whether each function has its own share of the account's concurrency, so that none starves the others. */
  reservesConcurrency: boolean;
};

export const environments: readonly Environment[] = [
  {
    name: 'dev',
    // synthetic data only: cheap, quick to deploy and to throw away
    keepsData: false,
    dropRetentionDays: 30,
    restoreDays: 7,
    registryLockDays: 0,
    logRetention: RetentionDays.TWO_WEEKS,
    // network interfaces make deleting a stack take half an hour
    isolated: false,
    // a new account has ten concurrent functions altogether, and nothing to reserve
    reservesConcurrency: false,
  },
  {
    name: 'staging',
    // as prod where it matters to a rehearsal, but with a short memory
    keepsData: false,
    dropRetentionDays: 90,
    restoreDays: 30,
    registryLockDays: 0,
    logRetention: RetentionDays.THREE_MONTHS,
    isolated: true,
    reservesConcurrency: true,
  },
  {
    name: 'prod',
    keepsData: true,
    // claims and pricing disputes reach back seven years
    dropRetentionDays: 2557,
    // a wrong load is often noticed at the quarter's close
    restoreDays: 100,
    // the evidence for every model of the last year's decisions; longer would hold on to members who asked to be erased
    registryLockDays: 365,
    // HIPAA, 45 CFR 164.316(b)(2)(i): six years
    logRetention: RetentionDays.SIX_YEARS,
    isolated: true,
    reservesConcurrency: true,
  },
];

/** What an account has of its own, given as `-c prod.account=…` or in `cdk.json`'s context. */
export type Settings = {
  /** @default - the account of the credentials at deployment */
  account?: string;
  /** @default - the region of the credentials at deployment */
  region?: string;
  /** Who is told about failures and alarms. @default - nobody: subscribe to the topic `Notices` by hand */
  noticesEmail?: string;
  /** ARNs of the users and roles who may re-identify, each with a second factor. @default - nobody: there is no role for it */
  reidentify?: readonly string[];
};

export function settingsOf(environment: Environment, node: Node): Settings {
  const read = (key: string) => node.tryGetContext(`${environment.name}.${key}`) as string | undefined;
  return {
    account: read('account'),
    region: read('region'),
    noticesEmail: read('noticesEmail'),
    reidentify: principalsOf(`${environment.name}.reidentify`, node.tryGetContext(`${environment.name}.reidentify`)),
  };
}

/** A list of ARNs, or one text with commas. Throws where one of them is not that of a user or role. */
export function principalsOf(key: string, given: unknown): string[] {
  const arns = typeof given === 'string' ? given.split(',').map((arn) => arn.trim()) : (given ?? []);
  if (!Array.isArray(arns)) throw new Error(`${key} is neither a list of ARNs nor a text of them with commas.`);
  return arns.map((arn: unknown) => {
    if (typeof arn === 'string' && /^arn:aws[\w-]*:iam::\d{12}:(user|role)\/[\w+=,.@/-]+$/.test(arn)) return arn;
    throw new Error(
      `${key}: ${JSON.stringify(arn)} is no user or role; write such as arn:aws:iam::111111111111:user/privacy-officer. ` +
        'An account or a pattern would let in who is not named.',
    );
  });
}
