import { readDenseFile, writeDenseFile } from '../../ml/dense/model-file.ts';
import type { Design } from '../../ml/encoders/design.ts';
import { readLightgbmText, writeLightgbmText } from '../../ml/formats/lightgbm-text.ts';
import { readGlmDocument, writeGlmDocument } from '../../ml/glm/glm-document.ts';
import { InvalidModel } from '../../ml/trees/model.ts';
import { type Learnt, isGlm, isTflite } from './learning.ts';

/**
 * A model and its encoders in one file: LightGBM's text, with the fitted design among its parameters, where LightGBM keeps
 * what it does not know and passes it over. Percent-encoded, because a parameter's value may hold neither colon nor bracket. A GLM
 * is a JSON document, a dense network a .tflite file with the design among its metadata.
 */
export function writeModelFile({ design, model }: Learnt): Uint8Array {
  if (isTflite(model)) return writeDenseFile({ design, model });
  if (isGlm(model)) return new TextEncoder().encode(writeGlmDocument(design, model));
  const parameters = { ...model.parameters, [designParameter]: encodeURIComponent(JSON.stringify(design)) };
  return new TextEncoder().encode(writeLightgbmText({ ...model, parameters }));
}

/** Throws `InvalidModel` for a file that is damaged, or has no design because another program wrote it. */
export function readModelFile(bytes: Uint8Array): Learnt {
  if (isTfliteFile(bytes)) return readDenseFile(bytes);
  const text = new TextDecoder().decode(bytes);
  if (text.startsWith('{')) return glmOf(text);
  const { parameters, ...model } = readLightgbmText(text);
  const { [designParameter]: encoded, ...rest } = parameters;
  return { design: designOf(encoded), model: { ...model, parameters: rest } };
}

/** A .tflite file has its mark behind the offset of its root. */
const isTfliteFile = (bytes: Uint8Array) => new TextDecoder().decode(bytes.subarray(4, 8)) === 'TFL3';

/** The files of a model by name: the one that predicts, and of a quantised network the one in float beside it. */
export function writeModelFiles(learnt: Learnt): Map<string, Uint8Array> {
  if (!isTflite(learnt.model)) return new Map([['model.txt', writeModelFile(learnt)]]);
  const files = new Map([['model.tflite', writeModelFile(learnt)]]);
  if (learnt.float) files.set('model-float32.tflite', writeModelFile({ ...learnt, model: learnt.float }));
  return files;
}

/** Of the files of a version, the one that predicts. */
export const predictingFile = (names: readonly string[]): string =>
  names.find((name) => name === 'model.txt' || name === 'model.tflite') ?? 'model.txt';

const designParameter = 'bordereau_design';

function glmOf(text: string): Learnt {
  try {
    const { design, glm } = readGlmDocument(JSON.parse(text));
    return { design, model: glm };
  } catch (error) {
    if (error instanceof InvalidModel) throw error;
    throw new InvalidModel(`The GLM in the model file is damaged: ${(error as Error).message}.`);
  }
}

function designOf(encoded: string | undefined): Design {
  if (encoded === undefined) {
    throw new InvalidModel(
      'The model file has no encoders: it was not written by a training run. Train a version instead.',
    );
  }
  try {
    return JSON.parse(decodeURIComponent(encoded)) as Design;
  } catch (error) {
    throw new InvalidModel(`The encoders in the model file cannot be read: ${(error as Error).message}.`);
  }
}
