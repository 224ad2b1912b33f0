/**
 * Our side of one case, in a process of its own so that its peak memory can be told: `node bench/trees-ours.ts CASE FOLDER`.
 * Writes the data and, for scoring and SHAP, the model into the folder for the peers, and the measurement to standard output.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeLightgbmText } from '../src/ml/formats/lightgbm-text.ts';
import { writeXgboostJson } from '../src/ml/formats/xgboost-writer.ts';
import { treeShap } from '../src/ml/shap/tree-shap.ts';
import { trainBoosting } from '../src/ml/trees/boosting.ts';
import { trainForest } from '../src/ml/trees/forest.ts';
import { predict } from '../src/ml/trees/predictor.ts';
import { type Measured, treeCases } from './trees-cases.ts';
import { splitTable, syntheticTable } from './trees-data.ts';

const [caseIndex, folder] = process.argv.slice(2);
const measured = treeCases[Number(caseIndex)];
const { rows, testRows, columns, outputs } = measured;
const { train, test } = splitTable(syntheticTable(rows + testRows, columns, 'bench'), rows);
const several = (target: Float64Array) =>
  Float64Array.from(
    { length: target.length * outputs },
    (_, i) => target[Math.floor(i / outputs)] * (1 + (i % outputs)),
  );
const trainTarget = several(train.target);
const testTarget = several(test.target);

writeFileSync(join(folder, 'train.bin'), train.data.values);
writeFileSync(join(folder, 'test.bin'), test.data.values);
writeFileSync(join(folder, 'train-target.bin'), trainTarget);
writeFileSync(join(folder, 'test-target.bin'), testTarget);

let cpuSeconds = 0;
const timed = <T>(work: () => T): T => {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  cpuSeconds = (user + system) / 1e6;
  return result;
};

const model =
  measured.task === 'forest'
    ? timed(() => trainForest(train.data, trainTarget, measured.parameters))
    : timed(() => trainBoosting(train.data, trainTarget, measured.parameters));
if (measured.task === 'shap') {
  writeFileSync(join(folder, 'model.txt'), writeLightgbmText(model));
  writeFileSync(join(folder, 'model.json'), writeXgboostJson(model));
  timed(() => treeShap(model, test.data));
}
const predicted = predict(model, test.data);
if (measured.task === 'predict') {
  writeFileSync(join(folder, 'model.txt'), writeLightgbmText(model));
  writeFileSync(join(folder, 'model.json'), writeXgboostJson(model));
  timed(() => predict(model, test.data));
}
const rmse = Math.sqrt(predicted.reduce((sum, p, i) => sum + (p - testTarget[i]) ** 2, 0) / predicted.length);
const report: Measured = { name: 'ours', cpuSeconds, rmse, peakMb: process.resourceUsage().maxRSS / 1024 };
console.log(JSON.stringify(report));
