/** A promoted version as a catalogue shows it. */
export type PromotedModel = {
  useCase: string;
  version: number;
  /** The version's digest: its identity in the catalogue, whatever number it has there. */
  digest: string;
  /** The model card in the catalogue's own schema, as JSON text. */
  card: string;
};

/**
 * Where people and other tools look models up: the SageMaker Model Registry on AWS, files on a laptop. It mirrors the promotion
 * log and decides nothing; `test/contract/model-catalogue.ts` says what it means.
 */
export interface ModelCatalogue {
  /**
   * Makes the version the only approved one of its use case: it is added where it is not there yet, and others that were
   * approved no longer are. Safe to repeat, also after a failure half-way. Throws `ModelNotMirrored`.
   */
  approve(model: PromotedModel): Promise<void>;
}
