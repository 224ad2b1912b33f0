import { versionName } from '../../governance/registry.ts';
import { ModelNotMirrored } from '../../ports/errors.ts';
import type { ModelCatalogue, PromotedModel } from '../../ports/model-catalogue.ts';
import type { ObjectStore } from '../../ports/object-store.ts';

/** What is stored of a version. */
export type CataloguedModel = Omit<PromotedModel, 'card'> & { approved: boolean; card: unknown };

/**
 * A catalogue of one JSON document per version, `models/<use case>/0007.json`: on a laptop the same content as on AWS, to be
 * read by eye.
 */
export function storedCatalogue(store: ObjectStore): ModelCatalogue {
  const put = (model: CataloguedModel) => store.put(keyOf(model), encode(model));
  return {
    async approve({ useCase, version, digest, card }) {
      try {
        const models = await cataloguedModels(store, useCase);
        const own = models.find((model) => model.digest === digest);
        // the new one first: at no moment is there none
        if (!own) await put({ useCase, version, digest, approved: true, card: JSON.parse(card) as unknown });
        else if (!own.approved) await put({ ...own, approved: true });
        for (const other of models) if (other !== own && other.approved) await put({ ...other, approved: false });
      } catch (error) {
        throw new ModelNotMirrored(useCase, version, `the stored catalogue ${prefixOf(useCase)}`, error);
      }
    },
  };
}

/** All versions of the use case that were ever promoted, oldest first. */
export async function cataloguedModels(store: ObjectStore, useCase: string): Promise<CataloguedModel[]> {
  const models: CataloguedModel[] = [];
  for await (const { key } of store.list(prefixOf(useCase))) {
    const bytes = await store.get(key);
    if (bytes) models.push(JSON.parse(new TextDecoder().decode(bytes)) as CataloguedModel);
  }
  return models;
}

const prefixOf = (useCase: string) => `models/${useCase}/`;
const keyOf = ({ useCase, version }: CataloguedModel) => `${prefixOf(useCase)}${versionName(version)}.json`;

const encode = (model: CataloguedModel) => new TextEncoder().encode(`${JSON.stringify(model, null, 1)}\n`);
