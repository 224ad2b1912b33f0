/** The CDK app: one stack per environment. `cdk synth` writes all three templates, `cdk deploy bordereau-dev` deploys one. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, HIPAASecurityChecks, ServerlessChecks } from 'cdk-nag';
import { catalogueFromFolder } from '../src/usecase/catalogue.ts';
import { buildArtifacts } from './artifacts.ts';
import { environments, settingsOf } from './environments.ts';
import { PipelineStack } from './pipeline-stack.ts';

const app = new App();
const catalogue = await catalogueFromFolder(fileURLToPath(new URL('../usecases', import.meta.url)));
const artifacts = await buildArtifacts(JSON.stringify(catalogue), app.outdir);
const useCases = catalogue.useCases.map(({ declaration }) => declaration);

const shared = { artifacts, useCases, codeVersion: codeVersion() };

for (const environment of environments) {
  new PipelineStack(app, { ...shared, environment, settings: settingsOf(environment, app.node) });
}
Validations.of(app).addPlugins(new HIPAASecurityChecks(app), new ServerlessChecks(app), new AwsSolutionsChecks(app));

/** The commit for the lineage of whatever this deployment trains; `-dirty` where the working tree differs from it. */
function codeVersion(): string {
  const given = app.node.tryGetContext('codeVersion') as string | undefined;
  if (given) return given;
  try {
    const describe = ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'];
    return execFileSync('git', describe, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  } catch (error) {
    throw new Error('Git does not tell which commit this is. Name it: cdk synth -c codeVersion=<commit>', {
      cause: error,
    });
  }
}
