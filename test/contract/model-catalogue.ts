import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ModelCatalogue, PromotedModel } from '../../src/ports/model-catalogue.ts';

/** A version as somebody who looks into the catalogue finds it. */
export type Shown = { digest: string; approved: boolean; card: unknown };

/** Opens an empty catalogue. `shown` is what stands in it for a use case, in whatever order; `close` ends it. */
export type OpenModelCatalogue = () => Promise<{
  catalogue: ModelCatalogue;
  shown: (useCase: string) => Promise<Shown[]>;
  close: () => Promise<void>;
}>;

/** A version with a digest and a card of its own. */
export const model = (version: number, useCase = 'insurance-cost'): PromotedModel => ({
  useCase,
  version,
  digest: version.toString(16).padStart(64, useCase === 'insurance-cost' ? '0' : 'f'),
  card: JSON.stringify({ business_details: { business_problem: `Was kostet „${version}“?\n` } }),
});

/** What every catalogue of models promises. Call it once per adapter. */
export function modelCatalogueContract(name: string, open: OpenModelCatalogue): void {
  describe(`${name} keeps the model catalogue's contract`, () => {
    let catalogue: ModelCatalogue;
    let shown: (useCase: string) => Promise<Shown[]>;
    let close: () => Promise<void>;
    beforeEach(async () => {
      ({ catalogue, shown, close } = await open());
    });
    afterEach(() => close());

    const approved = async (useCase = 'insurance-cost') =>
      (await shown(useCase)).filter((one) => one.approved).map(({ digest }) => digest);

    test('an approved version is shown, with its card down to the last character', async () => {
      await catalogue.approve(model(1));
      expect(await shown('insurance-cost')).toEqual([
        { digest: model(1).digest, approved: true, card: JSON.parse(model(1).card) as unknown },
      ]);
    });

    test('approved twice it is shown once', async () => {
      await catalogue.approve(model(1));
      await catalogue.approve(model(1));
      expect(await shown('insurance-cost')).toHaveLength(1);
      expect(await approved()).toEqual([model(1).digest]);
    });

    test('the version that it replaces stays, and is no longer approved', async () => {
      await catalogue.approve(model(1));
      await catalogue.approve(model(2));
      expect(await shown('insurance-cost')).toHaveLength(2);
      expect(await approved()).toEqual([model(2).digest]);
    });

    test('an earlier version becomes the approved one again, as it was recorded', async () => {
      await catalogue.approve(model(1));
      await catalogue.approve(model(2));
      await catalogue.approve({ ...model(1), card: '{}' });
      expect(await approved()).toEqual([model(1).digest]);
      const first = (await shown('insurance-cost')).find(({ digest }) => digest === model(1).digest);
      expect(first?.card).toEqual(JSON.parse(model(1).card));
      expect(await shown('insurance-cost')).toHaveLength(2);
    });

    test('use cases leave each other alone, even those of which one begins as the other', async () => {
      await catalogue.approve(model(1));
      await catalogue.approve(model(1, 'insurance-cost-at-home'));
      expect(await approved()).toEqual([model(1).digest]);
      expect(await approved('insurance-cost-at-home')).toEqual([model(1, 'insurance-cost-at-home').digest]);
    });

    test('of many versions every one is found again, and one is approved', async () => {
      const versions = Array.from({ length: 23 }, (_, i) => i + 1);
      for (const version of versions) await catalogue.approve(model(version));
      await catalogue.approve(model(1));
      expect(await shown('insurance-cost')).toHaveLength(versions.length);
      expect(await approved()).toEqual([model(1).digest]);
    });
  });
}
