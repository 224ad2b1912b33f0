import { Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, HIPAASecurityChecks, type NagPack, ServerlessChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { deployAll } from './deployed.ts';

const { app } = deployAll(['claim-decision']);

const packs: NagPack[] = [new HIPAASecurityChecks(app), new ServerlessChecks(app), new AwsSolutionsChecks(app)];

const findingsOf = (pack: NagPack) =>
  pack
    .validateScope(app)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => ({ rule: ruleName, path: constructPath! })),
    );

describe.each(packs)('the rules of $name', (pack) => {
  test('leave no finding unacknowledged', () => {
    expect(findingsOf(pack)).toEqual([]);
  });
});

describe('acknowledgements', () => {
  const acknowledged = app.node.findAll().flatMap(({ node }) =>
    node.metadata
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) => Object.entries(data as Record<string, string>))
      .map(([rule, reason]) => ({ path: node.path, rule: rule.replace(/^annotation::/i, ''), reason }))
      // what the CDK acknowledges for its own templates
      .filter(({ rule }) => !rule.startsWith('CloudFormation-Validate::')),
  );

  test('each give a reason', () => {
    expect(acknowledged.length).toBeGreaterThan(20);
    for (const { reason } of acknowledged) expect(reason.length).toBeGreaterThan(40);
  });

  test('each answer a finding: none has outlived what it was for', () => {
    const deaf = { isAcknowledged: () => false };
    const findings = packs.flatMap((pack) => findingsOf(Object.assign(Object.create(pack) as NagPack, deaf)));
    const stale = acknowledged.filter(
      ({ rule, path }) =>
        !findings.some((finding) => finding.rule === rule && `${finding.path}/`.startsWith(`${path}/`)),
    );
    expect(stale).toEqual([]);
  });
});
