import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { liveAt } from '../governance/aliases.ts';
import { readLedger } from '../governance/ledger.ts';
import { explainEntity } from '../stages/common/explain-entity.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import { whole } from './arguments.ts';
import { type Command, UsageError, exitCodes } from './command.ts';
import { explanationLines } from './explanation-view.ts';
import { localPorts } from './open.ts';

export const command: Command = {
  summary: 'Says what a model makes of one entity, and why; it prints the entity’s own values.',
  usage: 'USE_CASE ENTITY',
  examples: [
    ['bordereau explain insurance-cost 5f0c…', 'the prediction of the newest features, and what moves it'],
    ['bordereau explain offer-prioritization M1a2b…', 'the offers that are sent, and what removed each other one'],
    ['bordereau explain claim-propensity 5f0c… --version 2', 'by that version in place of the champion'],
    ['bordereau explain insurance-cost 5f0c… --report case.html', 'as a page besides'],
  ],
  options: {
    version: { type: 'string', value: 'N', help: 'a version in place of the champion' },
    top: { type: 'string', default: '5', value: 'N', help: 'how many of several outputs are explained' },
    report: { type: 'string', value: 'FILE', help: 'writes a page about this one entity, with its place in the swarm' },
    features: { type: 'string', default: '8', value: 'N', help: 'how many features of each are told apart' },
  },
  positionals: { min: 2, max: 2 },
  async run(call) {
    const [useCase, entityKey] = call.positionals;
    const [top, features] = [whole(call, 'top', 1)!, whole(call, 'features', 1)!];
    const ports = await localPorts(call, useCase);
    const { declaration } = useCaseOf(ports.catalogue, useCase);
    const version = whole(call, 'version', 1) ?? liveAt(await readLedger(ports.registry, useCase), 'champion');
    if (version === null) {
      throw new UsageError(`${useCase} has no champion yet.`, `bordereau explain ${useCase} ${entityKey} --version 1`);
    }
    const explanation = await explainEntity(ports, { useCase, version, entityKey, top });
    if (!explanation) {
      const { key } = declaration.entity;
      throw new UsageError(
        `The feature table of ${useCase} knows no such ${key}. It takes the key as the tables have it.`,
        `bordereau sql "SELECT DISTINCT ${key} FROM features LIMIT 5" --use-case ${useCase}`,
      );
    }
    for (const line of explanationLines(explanation, declaration, { features, output: call.output }))
      call.output.print(line);
    const page = call.text('report');
    if (page !== undefined) {
      // charts are loaded by who wants a page
      const { renderEntityPage } = await import('../report/entity-page.ts');
      const { entityFacts } = await import('./entity-facts.ts');
      const html = renderEntityPage(await entityFacts(ports, explanation, declaration));
      await writeFile(page, html, { mode: 0o600 });
      call.output.print();
      call.output.print(resolve(page));
    }
    call.output.document(explanation);
    return exitCodes.ok;
  },
};
