import type { Design } from '../encoders/design.ts';
import { type TfliteModel, width } from '../formats/tflite/model.ts';
import { readTflite } from '../formats/tflite/reader.ts';
import { writeTflite } from '../formats/tflite/writer.ts';
import { InvalidModel } from '../trees/model.ts';

/** A network of any precision with the encoders that make its standardised inputs from columns. */
export type DenseFile = { design: Design; model: TfliteModel };

const designKey = 'bordereau_design';

/**
 * The stored form of a network: a .tflite file, which other runtimes open as it is, with the fitted design among its metadata, which they
 * pass over. Precisions of one model carry the same design.
 */
export function writeDenseFile({ design, model }: DenseFile): Uint8Array {
  const encoded = new TextEncoder().encode(JSON.stringify(design));
  return writeTflite({ ...model, metadata: { ...model.metadata, [designKey]: encoded } });
}

/** Throws InvalidModel for a file that is damaged, or has no design because another program wrote it. */
export function readDenseFile(bytes: Uint8Array): DenseFile {
  const model = readTflite(bytes);
  const design = designOf(model);
  if (design === null) {
    throw new InvalidModel('The .tflite file has no encoders: it was not written by a training run.');
  }
  return { design, model };
}

/** The design in a file's metadata; null where another program wrote the file. Throws InvalidModel for one that does not fit. */
export function designOf({ metadata, tensors, input }: TfliteModel): Design | null {
  const encoded = metadata[designKey];
  if (encoded === undefined) return null;
  let design: Design;
  try {
    design = JSON.parse(new TextDecoder().decode(encoded)) as Design;
  } catch (error) {
    throw new InvalidModel(`The encoders in the .tflite file cannot be read: ${(error as Error).message}.`);
  }
  if (design.kind !== 'design' || design.version !== 1 || !Array.isArray(design.features)) {
    throw new InvalidModel('The encoders in the .tflite file are damaged or of another version.');
  }
  if (design.names.length !== width(tensors[input])) {
    throw new InvalidModel(
      `The encoders in the .tflite file make ${design.names.length} features, the network takes ${width(tensors[input])}.`,
    );
  }
  return design;
}
