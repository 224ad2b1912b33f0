import { CfnOutput, Fn, Stack } from 'aws-cdk-lib';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Architecture, Code, LayerVersion, Runtime } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { machineNames, stageNames } from '../src/stages.ts';
import type { Scheduled } from '../src/triggers.ts';
import { acknowledge } from './acknowledgements.ts';
import type { Artifacts } from './artifacts.ts';
import { Alarms } from './constructs/alarms.ts';
import { Dashboard } from './constructs/dashboard.ts';
import { Machine } from './constructs/machine.ts';
import { Network } from './constructs/network.ts';
import { Online } from './constructs/online.ts';
import { Operations } from './constructs/operations.ts';
import { ReIdentification } from './constructs/re-identification.ts';
import { StageFunction } from './constructs/stage-function.ts';
import { Triggers } from './constructs/triggers.ts';
import { titled, Zones } from './constructs/zones.ts';
import type { Environment, Settings } from './environments.ts';
import { productName } from './names.ts';
import type { OnlineArtifact } from './online-artifacts.ts';

/** What a stack has to know of a use case. */
export type Deployable = Scheduled & { recommend?: { text: { model?: { id: string } | undefined } } | undefined };

export type PipelineStackProps = {
  readonly environment: Environment;
  readonly settings: Settings;
  readonly artifacts: Artifacts;
  /** The declarations of all use cases; their schedules become schedules, and models that write their texts may be asked. */
  readonly useCases: readonly Deployable[];
  /** The commit that is deployed. */
  readonly codeVersion: string;
  /** The use cases that decide single cases. @default - none */
  readonly online?: readonly OnlineArtifact[];
};

/** One environment of the whole product: from the bucket that files are dropped into, to the alarm when a run fails. */
export class PipelineStack extends Stack {
  constructor(scope: Construct, props: PipelineStackProps) {
    const { environment, settings, artifacts, useCases, codeVersion, online = [] } = props;
    super(scope, productName(environment), {
      description: `Bordereau ${environment.name}: file drops become governed, explained and monitored predictions`,
      env: { account: settings.account, region: settings.region },
      terminationProtection: environment.keepsData,
      tags: { 'bordereau:environment': environment.name },
    });

    const textModels = [...new Set(useCases.flatMap(({ recommend }) => recommend?.text.model?.id ?? []))];
    const operations = new Operations(this, 'Operations', { environment, noticesEmail: settings.noticesEmail });
    const zones = new Zones(this, 'Zones', { environment });
    const network = environment.isolated ? new Network(this, 'Network', { zones, textModels }) : undefined;
    const bus = new EventBus(this, 'Bus', { eventBusName: productName(environment) });
    const duckdb = new LayerVersion(this, 'DuckDb', {
      code: Code.fromAsset(artifacts.duckdb.directory, { assetHash: artifacts.duckdb.hash }),
      compatibleArchitectures: [Architecture.ARM_64],
      compatibleRuntimes: [Runtime.NODEJS_24_X],
      description: 'DuckDB for linux-arm64',
    });

    const useCaseIds = useCases.map(({ id }) => id);
    const functions = record(stageNames, (stage) => {
      const handler = artifacts.handlers[stage];
      return new StageFunction(this, stage, {
        stage,
        environment,
        handler,
        duckdb,
        codeVersion,
        zones,
        operations,
        useCaseIds,
        textModels,
        network,
      });
    });
    const machines = record(machineNames, (machine) => {
      return new Machine(this, `${titled(machine)}Machine`, { machine, environment, functions, bus, operations });
    });
    new Triggers(this, 'Triggers', {
      environment,
      machines,
      useCases,
      bus,
      zones,
      undelivered: operations.undeliveredEvents,
    });

    const watched = {
      environment,
      machines: Object.values(machines),
      functions: Object.values(functions),
      useCaseIds,
      operations,
    };
    const alarms = new Alarms(this, 'Alarms', watched);
    new Dashboard(this, 'Dashboard', { ...watched, alarms });

    const deciding = online.map((artifact) => {
      return new Online(this, `Decide-${artifact.useCase}`, { artifact, environment, zones, operations, network });
    });

    const { reidentify: principals = [] } = settings;
    if (principals.length > 0) {
      const { role } = new ReIdentification(this, 'ReIdentification', { environment, zones, useCaseIds, principals });
      new CfnOutput(this, 'ReIdentificationRoleArn', { value: role.roleArn });
      new CfnOutput(this, 'VaultKeyArn', { value: zones.vaultKey.keyArn });
    }

    for (const [zone, { bucket }] of Object.entries(zones.of)) {
      new CfnOutput(this, `${titled(zone)}BucketName`, { value: bucket.bucketName });
    }
    acknowledge(this, {
      environment,
      zones,
      machines: watched.machines,
      useCaseIds,
      textModels,
      deciding,
      reidentifies: principals.length > 0,
    });
  }

  /** Two zones of whichever region it is; asking for their names would need credentials at synthesis. */
  override get availabilityZones(): string[] {
    return [0, 1].map((i) => Fn.select(i, Fn.getAzs()));
  }
}

function record<Name extends string, Value>(names: readonly Name[], make: (name: Name) => Value): Record<Name, Value> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Value>;
}
