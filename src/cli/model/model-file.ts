import { extname } from 'node:path';
import { readTflite } from '../../ml/formats/tflite/reader.ts';
import { readLightgbmText, writeLightgbmText } from '../../ml/formats/lightgbm-text.ts';
import { readXgboostJson, readXgboostUbjson } from '../../ml/formats/xgboost-json.ts';
import { writeXgboostJson } from '../../ml/formats/xgboost-writer.ts';
import { type GlmDocument, readGlmDocument } from '../../ml/glm/glm-document.ts';
import { InvalidModel, type TreeModel } from '../../ml/trees/model.ts';
import { UsageError } from '../command.ts';
import { readGiven, writeGiven } from '../files.ts';
import { type SavedNetwork, savedNetwork } from './network.ts';

/** A model as a file holds it. */
export type SavedModel =
  | { kind: 'trees'; format: 'LightGBM text' | 'XGBoost JSON' | 'XGBoost UBJSON'; model: TreeModel }
  | { kind: 'glm'; format: 'Bordereau GLM'; document: GlmDocument }
  | SavedNetwork;

/** Reads a model; its bytes decide of which format it is. Throws InvalidModel with the file's name for one that is damaged. */
export async function readModel(file: string): Promise<SavedModel> {
  const bytes = await readGiven(file);
  try {
    return parseModel(bytes);
  } catch (error) {
    if (error instanceof InvalidModel) throw new InvalidModel(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** The model in a file's bytes. Throws InvalidModel. */
export function parseModel(bytes: Uint8Array): SavedModel {
  const text = () => {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      throw new InvalidModel('The text is damaged: it is not UTF-8.');
    }
  };
  if (bytes.length === 0) throw new InvalidModel('The file is empty.');
  if (startsWith(bytes, 'tree')) return { kind: 'trees', format: 'LightGBM text', model: readLightgbmText(text()) };
  if (startsWith(bytes, 'TFL3', 4)) return savedNetwork(readTflite(bytes));
  // after its opening brace UBJSON says how long the first key is, JSON has a quotation mark or white space
  if (/^\{[iUIlL$#]/.test(ascii(bytes, 0, 2))) {
    return { kind: 'trees', format: 'XGBoost UBJSON', model: readXgboostUbjson(bytes) };
  }
  if (/^\s*\{/.test(ascii(bytes, 0, 100))) return modelOfJson(text());
  throw new InvalidModel(
    'It begins like none of LightGBM text, XGBoost JSON, XGBoost UBJSON, TensorFlow Lite or a GLM of this product.',
  );
}

/** The formats that a model can be written in, by the file's extension. */
const writers: Record<string, (model: TreeModel) => string> = { '.txt': writeLightgbmText, '.json': writeXgboostJson };

/** Throws `UsageError` unless a model of that kind can be written under that name: said before the work, not after it. */
export function ensureModelName(out: string, kind: SavedModel['kind']): void {
  const extension = extname(out);
  if (kind === 'network' && extension !== '.tflite') {
    throw new UsageError(`A network is written as .tflite, not ${out}.`);
  }
  if (kind === 'network') return;
  if (kind === 'glm' && extension !== '.json') throw new UsageError(`A GLM is written as .json, not ${out}.`);
  if (!(extension in writers))
    throw new UsageError(`A model is written as .txt (LightGBM) or .json (XGBoost), not ${out}.`);
}

/** Writes a tree model as LightGBM text or XGBoost JSON, as the file's extension says. */
export async function writeTreeModel(out: string, model: TreeModel): Promise<void> {
  ensureModelName(out, 'trees');
  await writeGiven(out, Buffer.from(writers[extname(out)](model)));
}

function modelOfJson(text: string): SavedModel {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new InvalidModel(`The JSON is damaged: ${(error as Error).message}.`);
  }
  if ((json as { format?: unknown }).format === 'bordereau-glm') {
    return { kind: 'glm', format: 'Bordereau GLM', document: readGlmDocument(json) };
  }
  return { kind: 'trees', format: 'XGBoost JSON', model: readXgboostJson(text) };
}

const ascii = (bytes: Uint8Array, from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString('latin1');

const startsWith = (bytes: Uint8Array, magic: string, at = 0) => ascii(bytes, at, at + magic.length) === magic;
