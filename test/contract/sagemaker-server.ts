import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** A model package as the registry keeps it. */
export type StoredPackage = {
  arn: string;
  group: string;
  description: string;
  approval: string;
  approvalDescription: string | undefined;
  card: { ModelCardContent: string; ModelCardStatus: string } | undefined;
};

/**
 * The part of the SageMaker Model Registry that is used, over HTTP (AWS JSON 1.1), with the rules of its API reference: names
 * and lengths, pages, tags on groups and never on versioned packages, one package per client token. Loopback only.
 */
export type SageMakerServer = {
  endpoint: string;
  packages: StoredPackage[];
  groups: Map<string, { Key: string; Value: string }[]>;
  /** The operations asked for so far, in order. */
  requests: string[];
  /**
   * The next `times` requests of that operation are answered with the error; `acted` says that they take effect all the same,
   * as when an acknowledgement is lost.
   */
  fail(operation: string, status: number, code: string, times: number, acted?: 'acted'): void;
  close(): Promise<void>;
};

/** An error answer; SageMaker has few codes, and says in the message what is meant. */
class Refused extends Error {}

const account = 'arn:aws:sagemaker:eu-west-1:111111111111';

export async function startSageMakerServer(pageSize = 10): Promise<SageMakerServer> {
  const packages: StoredPackage[] = [];
  const groups: SageMakerServer['groups'] = new Map();
  const byToken = new Map<string, string>();
  const requests: string[] = [];
  const failures: { operation: string; status: number; code: string; times: number; acted: boolean }[] = [];

  // oxlint-disable-next-line typescript/no-explicit-any -- requests have as many shapes as there are operations
  const operations: { [name: string]: (request: any) => object } = {
    CreateModelPackageGroup({ ModelPackageGroupName: name, ModelPackageGroupDescription: description, Tags = [] }) {
      refuse(!/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/.test(name), `Value '${name}' failed to satisfy constraint`);
      refuse(!described.test(description), 'description failed to satisfy constraint');
      const arn = `${account}:model-package-group/${name}`;
      refuse(groups.has(name), `Model Package Group already exists: ${arn}`);
      groups.set(name, Tags);
      return { ModelPackageGroupArn: arn };
    },

    ListModelPackages({ ModelPackageGroupName: group, MaxResults = 10, NextToken = '0' }) {
      refuse(!groups.has(group), `Model Package Group ${group} does not exist`);
      refuse(MaxResults > 100, 'MaxResults failed to satisfy constraint');
      const all = packages.filter((one) => one.group === group).toReversed();
      const start = Number(NextToken);
      const end = start + Math.min(MaxResults, pageSize);
      return {
        ModelPackageSummaryList: all.slice(start, end).map(({ arn, description, approval }) => ({
          ModelPackageArn: arn,
          ModelPackageGroupName: group,
          ModelPackageDescription: description,
          ModelApprovalStatus: approval,
          ModelPackageStatus: 'Completed',
          CreationTime: 1_767_600_000,
        })),
        ...(end < all.length && { NextToken: String(end) }),
      };
    },

    CreateModelPackage(request) {
      const { ModelPackageGroupName: group, ModelPackageDescription: description, ClientToken: token } = request;
      refuse(!groups.has(group), `Model Package Group ${group} does not exist`);
      refuse('Tags' in request, 'Tags are not supported for versioned model packages');
      refuse(!described.test(description), 'description failed to satisfy constraint');
      refuse(!/^[a-zA-Z0-9-]{1,36}$/.test(token), 'clientToken failed to satisfy constraint');
      const content = request.ModelCard?.ModelCardContent;
      refuse(content !== undefined && (content.length > 100_000 || !isJson(content)), 'model card is not valid');
      const earlier = byToken.get(token);
      if (earlier) return { ModelPackageArn: earlier };
      const number = packages.filter((one) => one.group === group).length + 1;
      const arn = `${account}:model-package/${group}/${number}`;
      const approval = request.ModelApprovalStatus ?? 'PendingManualApproval';
      packages.push({ arn, group, description, approval, approvalDescription: undefined, card: request.ModelCard });
      byToken.set(token, arn);
      return { ModelPackageArn: arn };
    },

    UpdateModelPackage({ ModelPackageArn: arn, ModelApprovalStatus: approval, ApprovalDescription: why }) {
      const found = packages.find((one) => one.arn === arn);
      refuse(!found, `Model package ${arn} does not exist`);
      refuse(!['Approved', 'Rejected', 'PendingManualApproval'].includes(approval), 'status is not valid');
      refuse(why?.length > 1024, 'approvalDescription failed to satisfy constraint');
      Object.assign(found!, { approval, approvalDescription: why });
      return { ModelPackageArn: arn };
    },
  };

  function answer(target: unknown, request: object): { status: number; body: object } {
    const [service, operation] = String(target).split('.');
    if (service !== 'SageMaker' || !operations[operation]) return error(400, 'UnknownOperationException', operation);
    requests.push(operation);
    const failure = failures.find((one) => one.operation === operation && one.times > 0);
    if (failure) {
      failure.times--;
      if (failure.acted) operations[operation](request);
      return error(failure.status, failure.code, 'asked for by the test');
    }
    try {
      return { status: 200, body: operations[operation](request) };
    } catch (refused) {
      if (refused instanceof Refused) return error(400, 'ValidationException', refused.message);
      throw refused;
    }
  }

  const server = createServer((request, response) => {
    void json(request).then((body) => {
      const { status, body: answered } = answer(request.headers['x-amz-target'], body as object);
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(answered));
    });
  });
  await new Promise<void>((started) => server.listen(0, '127.0.0.1', started));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    packages,
    groups,
    requests,
    fail: (operation, status, code, times, acted) =>
      failures.push({ operation, status, code, times, acted: acted !== undefined }),
    close: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}

const described = /^[\p{L}\p{M}\p{Z}\p{S}\p{N}\p{P}]{0,1024}$/u;

const error = (status: number, code: string, message: string) => ({ status, body: { __type: code, message } });

function refuse(when: boolean, message: string): void {
  if (when) throw new Refused(message);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
