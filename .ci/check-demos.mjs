// Reads the document of `bordereau demo --use-case ID --json` or `demo --all --json`, and says what it finds wrong. With the documents
// of demos told alone behind it: that beside others they came to the same.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';

const document = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const told = document.useCases ?? [document];
if (document.useCases) {
  assert.ok(told.length >= 5, `${told.length} use cases`);
  console.log(`All of them in ${document.seconds.toFixed(0)} s.`);
}

for (const { useCase, rows, champion, gates, predictions, reports, seconds } of told) {
  const { dropped, accepted, quarantined, rejected } = rows;
  assert.ok(dropped > 100, `${useCase}: ${dropped} rows dropped`);
  assert.equal(dropped, accepted + quarantined + rejected, `${useCase}: every row is accounted for`);
  assert.ok(quarantined > 0, `${useCase}: the generator makes dirt, and it is quarantined`);
  assert.ok(champion, `${useCase} has a champion`);
  for (const [name, { value, low, high }] of Object.entries(champion.metrics)) {
    assert.ok(low <= value && value <= high, `${useCase}, ${name}: ${low} ≤ ${value} ≤ ${high}`);
  }
  assert.ok(
    gates.every(({ name, passed, evidence }) => name && passed === true && evidence),
    useCase,
  );
  assert.ok(predictions.rows > 0, `${useCase} is scored`);
  for (const path of reports) assert.ok(existsSync(path), `${path} exists`);
  console.log(`${useCase}: ${dropped} rows, champion by ${champion.algorithm}, ${seconds.toFixed(1)} s.`);
}

/** What does not hang on the machine, the clock or the directory. */
const comparable = (told) => ({ ...told, reports: told.reports.length, seconds: 0 });
for (const path of process.argv.slice(3)) {
  const alone = JSON.parse(readFileSync(path, 'utf8'));
  const beside = told.find(({ useCase }) => useCase === alone.useCase);
  assert.deepEqual(comparable(beside), comparable(alone), `${alone.useCase}, alone and beside others`);
  console.log(`${alone.useCase}: the same alone and beside others.`);
}
