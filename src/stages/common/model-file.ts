import type { Design } from '../../ml/encoders/design.ts';
import { readLightgbmText, writeLightgbmText } from '../../ml/formats/lightgbm-text.ts';
import { readGlmDocument, writeGlmDocument } from '../../ml/glm/glm-document.ts';
import { InvalidModel } from '../../ml/trees/model.ts';
import { type Learnt, isGlm } from './learning.ts';

/**
 * A model and its encoders in one file: LightGBM's text, with the fitted design among its parameters, where LightGBM keeps
 * what it does not know and passes it over. Percent-encoded, because a parameter's value may hold neither colon nor bracket. A GLM
 * is a JSON document.
 */
export function writeModelFile({ design, model }: Learnt): Uint8Array {
  if (isGlm(model)) return new TextEncoder().encode(writeGlmDocument(design, model));
  const parameters = { ...model.parameters, [designParameter]: encodeURIComponent(JSON.stringify(design)) };
  return new TextEncoder().encode(writeLightgbmText({ ...model, parameters }));
}

/** Throws `InvalidModel` for a file that is damaged, or has no design because another program wrote it. */
export function readModelFile(bytes: Uint8Array): Learnt {
  const text = new TextDecoder().decode(bytes);
  if (text.startsWith('{')) return glmOf(text);
  const { parameters, ...model } = readLightgbmText(text);
  const { [designParameter]: encoded, ...rest } = parameters;
  return { design: designOf(encoded), model: { ...model, parameters: rest } };
}

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
