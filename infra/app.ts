/** The CDK app: one stack per environment. `cdk synth` writes all three templates, `cdk deploy bordereau-dev` deploys one. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, HIPAASecurityChecks, ServerlessChecks } from 'cdk-nag';
import { codeVersion } from '../src/adapters/embedded/code-version.ts';
import { catalogueFromFolder } from '../src/usecase/catalogue.ts';
import { buildArtifacts } from './artifacts.ts';
import { environments, settingsOf } from './environments.ts';
import { bundleOnline } from './online-artifacts.ts';
import { PipelineStack } from './pipeline-stack.ts';

const app = new App();
const folder = fileURLToPath(new URL('../usecases', import.meta.url));
const catalogue = await catalogueFromFolder(folder);
const artifacts = await buildArtifacts(JSON.stringify(catalogue), app.outdir);
const online = await bundleOnline(catalogue, folder, join(app.outdir, 'bundles'));
const useCases = catalogue.useCases.map(({ declaration }) => declaration);

// named in the context where there is no Git, as in a release archive
const commit =
  (app.node.tryGetContext('codeVersion') as string | undefined) ?? (await codeVersion(import.meta.dirname));

for (const environment of environments) {
  const settings = settingsOf(environment, app.node);
  new PipelineStack(app, { environment, settings, artifacts, useCases, codeVersion: commit, online });
}
Validations.of(app).addPlugins(new HIPAASecurityChecks(app), new ServerlessChecks(app), new AwsSolutionsChecks(app));
