import { createHash } from 'node:crypto';
import {
  CreateModelPackageCommand,
  CreateModelPackageGroupCommand,
  type ModelPackageSummary,
  paginateListModelPackages,
  type SageMakerClient,
  UpdateModelPackageCommand,
} from '@aws-sdk/client-sagemaker';
import { ModelNotMirrored } from '../../ports/errors.ts';
import type { ModelCatalogue, PromotedModel } from '../../ports/model-catalogue.ts';
import { modelGroupName } from './model-group.ts';

export type SageMakerCatalogueOptions = {
  client: SageMakerClient;
  /** The first part of the names of the groups: the deployment's own. */
  groupPrefix: string;
};

/**
 * The SageMaker Model Registry: a model package group per use case, a model package per promoted version. SageMaker numbers
 * packages itself, so ours is found by the digest in its description. Packages that are not ours are left as they are. A package
 * names no container: it is there to be found and read, and endpoints are not made of it. Throttling and lost connections are
 * retried by the client; what is left is a `ModelNotMirrored`.
 */
export class SageMakerCatalogue implements ModelCatalogue {
  readonly #client: SageMakerClient;
  readonly #groupPrefix: string;

  constructor({ client, groupPrefix }: SageMakerCatalogueOptions) {
    this.#client = client;
    this.#groupPrefix = groupPrefix;
  }

  async approve(model: PromotedModel): Promise<void> {
    const { useCase, version } = model;
    const group = modelGroupName(this.#groupPrefix, useCase);
    try {
      await this.#makeGroup(group, useCase);
      const packages = await this.#packages(group);
      const isApproved = ({ ModelApprovalStatus }: ModelPackageSummary) => ModelApprovalStatus === 'Approved';
      const own = packages.find(({ ModelPackageDescription }) => digestIn(ModelPackageDescription) === model.digest);
      // the new one first: at no moment is there none
      if (!own) await this.#create(group, model);
      else if (!isApproved(own)) await this.#set(own, 'Approved', `Version ${version} is champion again.`);
      for (const other of packages.filter((one) => one !== own && isApproved(one))) {
        await this.#set(other, 'Rejected', `Version ${version} is champion in its place.`);
      }
    } catch (error) {
      throw new ModelNotMirrored(useCase, version, `the SageMaker model package group ${group}`, error);
    }
  }

  async #makeGroup(group: string, useCase: string): Promise<void> {
    const command = new CreateModelPackageGroupCommand({
      ModelPackageGroupName: group,
      ModelPackageGroupDescription: `Champions of the use case ${useCase}, mirrored from its promotion log`,
      Tags: [{ Key: 'bordereau:use-case', Value: useCase }],
    });
    await this.#client.send(command).catch((error: unknown) => {
      // SageMaker has no error of its own for it
      if (error instanceof Error && error.name === 'ValidationException' && /already exists/i.test(error.message))
        return;
      throw error;
    });
  }

  /** All packages of the group that are ours. */
  async #packages(group: string): Promise<ModelPackageSummary[]> {
    const found: ModelPackageSummary[] = [];
    const pages = paginateListModelPackages({ client: this.#client, pageSize: 100 }, { ModelPackageGroupName: group });
    for await (const { ModelPackageSummaryList: page = [] } of pages) found.push(...page);
    return found.filter(({ ModelPackageDescription }) => digestIn(ModelPackageDescription) !== undefined);
  }

  async #create(group: string, { useCase, version, digest, card }: PromotedModel): Promise<void> {
    await this.#client.send(
      new CreateModelPackageCommand({
        ModelPackageGroupName: group,
        ModelPackageDescription: `${useCase}, version ${version}, digest ${digest}`,
        ModelApprovalStatus: 'Approved',
        // that the gates let the model pass does not say that anybody has read its card
        ModelCard: { ModelCardContent: card, ModelCardStatus: 'PendingReview' },
        ClientToken: createHash('sha256').update(`${group} ${digest}`).digest('hex').slice(0, 36),
      }),
    );
  }

  async #set({ ModelPackageArn }: ModelPackageSummary, status: 'Approved' | 'Rejected', why: string): Promise<void> {
    await this.#client.send(
      new UpdateModelPackageCommand({ ModelPackageArn, ModelApprovalStatus: status, ApprovalDescription: why }),
    );
  }
}

/** The version's digest in a description of ours; undefined in anybody else's. */
function digestIn(description: string | undefined): string | undefined {
  return /, version \d+, digest ([0-9a-f]{64})$/.exec(description ?? '')?.[1];
}
