/** The three stacks as they would be deployed, without bundling and without CloudFormation's own validation. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { Artifacts } from '../../infra/artifacts.ts';
import { type Environment, environments } from '../../infra/environments.ts';
import { type Deployable, PipelineStack } from '../../infra/pipeline-stack.ts';
import { stageNames } from '../../src/stages.ts';
import type { Scheduled } from '../../src/triggers.ts';

process.env['CDK_VALIDATION'] = 'false';

export const environmentNames = environments.map(({ name }) => name);

export const useCases: readonly Scheduled[] = [
  {
    id: 'motor-claims',
    score: { at: '0 19 * * *', timeZone: 'Europe/London' },
    retrain: { at: '30 4 1 * *', timeZone: 'America/New_York' },
  },
  { id: 'travel', score: { at: '15 6 * * 1-5', timeZone: 'UTC' }, retrain: { at: '0 5 * * 7', timeZone: 'UTC' } },
];

// oxlint-disable-next-line typescript/no-explicit-any -- a template's properties have as many shapes as CloudFormation has types
export type Cfn = any;
export type Properties = { [property: string]: Cfn };
export type Resource = { Type: string; Properties: Properties; DeletionPolicy?: string };
export type Deployed = {
  environment: Environment;
  stack: Stack;
  resources: { [logicalId: string]: Resource };
  /** The properties of all resources of a type, by logical id. */
  of: (type: string) => { [logicalId: string]: Properties };
};

/** One app with all environments. @param online use cases that decide single cases @param reidentify who may re-identify */
export function deployAll(
  online: readonly string[] = [],
  declared: readonly Deployable[] = useCases,
  reidentify: readonly string[] = [],
): { app: App; deployed: Deployed[] } {
  const { context } = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8')) as {
    context: object;
  };
  const app = new App({ context: { ...context, 'aws:cdk:bundling-stacks': [] } });
  const artifacts = standIns();
  const stacks = environments.map((environment) => {
    const settings = { noticesEmail: 'operations@example.com', reidentify };
    return new PipelineStack(app, {
      environment,
      settings,
      artifacts,
      useCases: declared,
      codeVersion: 'a'.repeat(40),
      online: online.map((useCase) => ({ useCase, directory: artifacts.handlers.Score.directory })),
    });
  });
  const deployed = stacks.map((stack, i) => {
    const resources = Template.fromStack(stack).toJSON()['Resources'] as { [logicalId: string]: Resource };
    const of = (type: string) =>
      Object.fromEntries(
        Object.entries(resources)
          .filter(([, resource]) => resource.Type === type)
          .map(([logicalId, { Properties }]) => [logicalId, Properties]),
      );
    return { environment: environments[i], stack, resources, of };
  });
  return { app, deployed };
}

/** The properties of the only resource of that type which `matches`. */
export function only(
  found: { [logicalId: string]: Properties },
  matches: (properties: Properties) => boolean,
): Properties {
  const all = Object.values(found).filter(matches);
  if (all.length !== 1) throw new Error(`expected one resource, found ${all.length}`);
  return all[0];
}

/** A reference in a template as short text: `Ref` and `GetAtt` give the logical id, joined parts are joined. */
export function text(value: Cfn): string {
  if (typeof value === 'string') return value;
  if (value?.Ref) return `<${value.Ref}>`;
  if (value?.['Fn::GetAtt']) return `<${value['Fn::GetAtt'][0]}>`;
  if (value?.['Fn::Join']) return (value['Fn::Join'][1] as unknown[]).map(text).join(value['Fn::Join'][0]);
  throw new Error(`neither text nor a reference: ${JSON.stringify(value)}`);
}

export const sorted = (values: Iterable<Cfn>): string[] => Array.from(values, String).sort();

export const listed = <Value>(value: Value | Value[]): Value[] => (Array.isArray(value) ? value : [value]);

function standIns(): Artifacts {
  const directory = mkdtempSync(join(tmpdir(), 'bordereau-infra-'));
  writeFileSync(join(directory, 'index.mjs'), 'export const handler = () => {};');
  return {
    handlers: Object.fromEntries(
      stageNames.map((stage) => [stage, { directory, needsDuckdb: stage !== 'Report' }]),
    ) as Artifacts['handlers'],
    duckdb: { directory, hash: 'b'.repeat(64) },
  };
}
