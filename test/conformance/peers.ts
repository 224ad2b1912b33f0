import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readLightgbmText, writeLightgbmText } from '../../src/ml/formats/lightgbm-text.ts';
import { readXgboostJson } from '../../src/ml/formats/xgboost-json.ts';
import { writeXgboostJson } from '../../src/ml/formats/xgboost-writer.ts';
import { treeShap } from '../../src/ml/shap/tree-shap.ts';
import type { TreeModel } from '../../src/ml/trees/model.ts';
import { predict } from '../../src/ml/trees/predictor.ts';
import { largestDifference, matrixOfRows } from '../ml/formats/lightgbm-fixtures.ts';
import { ourCases } from './our-models.ts';
import { run } from './python.ts';

/** A library whose models this product reads and writes. Tolerances are relative to the size of the value where that is above 1. */
export type Peer = {
  name: string;
  script: string;
  extension: string;
  write: (model: TreeModel) => string;
  read: (text: string) => TreeModel;
  predictionTolerance: (linked: boolean) => number;
  shapTolerance: number;
  /** Reports the SHAP values of a forest as sums over its trees instead of their mean. */
  sumsForests: boolean;
};

export const peers: Peer[] = [
  {
    name: 'LightGBM',
    script: 'peer_lightgbm.py',
    extension: 'txt',
    write: writeLightgbmText,
    read: readLightgbmText,
    // equal to the last bit, but for links, whose exponential is another one
    predictionTolerance: (linked) => (linked ? 1e-12 : 0),
    shapTolerance: 1e-9,
    sumsForests: true,
  },
  {
    name: 'XGBoost',
    script: 'peer_xgboost.py',
    extension: 'json',
    write: writeXgboostJson,
    read: readXgboostJson,
    predictionTolerance: () => 5e-6, // it adds up in float32
    shapTolerance: 2e-5,
    sumsForests: false,
  },
];

/** What the Python side writes: predictions and SHAP values, and for its own models what they are and the rows asked. */
type Exchange = { prediction: number[]; contributions: number[]; what: string; rows: (number | null)[][] };

/**
 * Fresh random cases both ways: models of this product scored and explained by the peer, and the peer's models here.
 * Returns one line per comparison that failed.
 */
export function compareWith(peer: Peer, python: string, seed: number, cases = 16): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'bordereau-conformance-'));
  const script = fileURLToPath(new URL(peer.script, import.meta.url));
  const modelFile = (k: number) => join(folder, `${k}.model.${peer.extension}`);
  const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Exchange;
  const failures: string[] = [];

  function compare(
    what: string,
    model: TreeModel,
    rows: (number | null)[][],
    theirs: Exchange,
    tolerance: number,
  ): void {
    const matrix = matrixOfRows(rows);
    const scale = model.averaged && peer.sumsForests ? model.trees.length / model.outputs : 1;
    const contributions = theirs.contributions.map((phi) => phi / scale);
    const prediction = largestDifference(predict(model, matrix), theirs.prediction);
    const shap = largestDifference(treeShap(model, matrix).values, contributions);
    console.log(`  ${what}: prediction ${prediction.toExponential(1)}, SHAP ${shap.toExponential(1)}`);
    if (!(prediction <= tolerance && shap <= peer.shapTolerance)) {
      failures.push(`${what}: beyond ${tolerance} or ${peer.shapTolerance} (seed ${seed})`);
    }
  }

  try {
    compareOurs();
    compareTheirs();
  } finally {
    rmSync(folder, { recursive: true });
  }
  return failures;

  function compareOurs(): void {
    const ours = ourCases(seed, cases);
    ours.forEach(({ model, rows }, k) => {
      writeFileSync(modelFile(k), peer.write(model));
      writeFileSync(join(folder, `${k}.rows.json`), JSON.stringify(rows)); // JSON has no NaN and writes null
    });
    run(python, [script, 'score', folder], `${peer.name} could not score our models`);
    ours.forEach(({ what, model, rows, linked }, k) => {
      compare(`ours in ${peer.name}, ${what}`, model, rows, read(`${k}.scores.json`), peer.predictionTolerance(linked));
    });
  }

  function compareTheirs(): void {
    run(python, [script, 'train', folder, String(seed), String(cases)], `${peer.name} could not train`);
    for (let k = 0; k < cases; k++) {
      const theirs = read(`${k}.expected.json`);
      const model = peer.read(readFileSync(modelFile(k), 'utf8'));
      compare(
        `${peer.name}'s here, ${theirs.what}`,
        model,
        theirs.rows,
        theirs,
        Math.max(1e-12, peer.predictionTolerance(true)),
      );
    }
  }
}
