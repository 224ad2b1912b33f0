// Reads the document of `bordereau demo --json` as a stranger would and says what it finds wrong.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';

const [file, flag] = process.argv.slice(2);
const foreign = flag === '--foreign';
const demo = JSON.parse(readFileSync(file, 'utf8'));

assert.equal(demo.useCase, 'insurance-cost');

const { dropped, accepted, quarantined, rejected } = demo.rows;
assert.ok(dropped > 1000, `${dropped} rows dropped`);
assert.equal(dropped, accepted + quarantined + rejected, 'every row is accepted, quarantined or rejected');
if (!foreign) assert.ok(quarantined > 0, 'the generator makes dirt, and it is quarantined');

assert.equal(demo.champion.version, 1);
for (const [name, { value, low, high }] of Object.entries(demo.champion.metrics)) {
  assert.ok(low <= value && value <= high, `${name}: ${low} ≤ ${value} ≤ ${high}`);
}
const { r2, mae } = demo.crossValidation;
if (foreign) {
  assert.ok(r2 >= 0.84 && r2 <= 0.87, `cross-validated R² ${r2} within .84 and .87`);
  assert.ok(mae <= 2600, `cross-validated MAE ${mae} at most 2,600`);
} else {
  assert.ok(r2 >= 0.8 && r2 < 0.845, `cross-validated R² ${r2} between the gate .80 and the generator's ceiling .845`);
}
assert.ok(demo.gates.length >= 5);
assert.ok(demo.gates.every(({ name, passed, evidence }) => name && passed === true && evidence));
assert.ok(demo.predictions.rows > 0);
assert.equal(demo.drift.detected, true);
assert.ok(demo.drift.features.includes('age'), `the population grew older: ${demo.drift.features}`);
assert.equal(demo.challenger.version, 2);
assert.equal(typeof demo.challenger.promoted, 'boolean');
assert.ok(demo.challenger.reason.length > 20);
assert.ok(demo.reports.length >= 2);
for (const path of demo.reports) assert.ok(existsSync(path), `${path} exists`);

console.log(
  `The demo took ${demo.seconds.toFixed(1)} s: ${dropped} rows, R² ${r2.toFixed(3)}, ${demo.reports.length} reports.`,
);
