import { LineCounter, parseDocument, type Document } from 'yaml';
import { type Finding, pathText, strictParse } from '../strict-parse.ts';
import { contractFindings } from './check.ts';
import type { Column, Contract, LogicalType } from './contract.ts';
import { columnSettings, objectSettings } from './custom-properties.ts';
import { type OdcsObject, type OdcsProperty, odcsDocument } from './odcs.ts';
import { qualityRule, validValues } from './quality.ts';

/** The contract cannot be used: not YAML, not ODCS, or in contradiction with itself. The message lists all findings. */
export class InvalidContract extends Error {
  override readonly name = 'InvalidContract';
  readonly findings: readonly string[];
  constructor(file: string, findings: readonly string[]) {
    const list = findings.map((finding) => `\n  - ${finding}`).join('');
    super(`The data contract ${file} cannot be used. Correct it and try again:${list}`);
    this.findings = findings;
  }
}

/** Reads an ODCS 3.1 contract; `file` is its name for messages. Throws `InvalidContract` with every finding, its line and path. */
export function parseContract(yaml: string, file: string): Contract {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const errors = document.errors.map(({ pos, message }) => `line ${lines.linePos(pos[0]).line}: ${message}`);
    throw new InvalidContract(file, errors);
  }
  const refuse = (findings: readonly Finding[]): never => {
    const texts = findings.map(({ path, message }) => `${place(document, lines, path)}: ${message}`);
    throw new InvalidContract(file, texts);
  };

  const parsed = strictParse(odcsDocument, document.toJS());
  if (parsed.findings) return refuse(parsed.findings);
  const [object] = parsed.value.schema;
  const findings: Finding[] = [];
  const contract = contractOf(parsed.value.id, parsed.value.version, object, findings);
  findings.push(...contractFindings(contract));
  return findings.length > 0 ? refuse(findings) : contract;
}

function contractOf(id: string, version: string, object: OdcsObject, findings: Finding[]): Contract {
  const path = ['schema', 0];
  const settings = objectSettings(object.customProperties, [...path, 'customProperties'], findings);
  const columns = object.properties.map((property, i) => columnOf(property, [...path, 'properties', i], findings));
  const rules = [
    ...object.properties.flatMap(({ name, quality }, i) =>
      quality.map((rule, j) =>
        qualityRule(rule, { column: name, path: [...path, 'properties', i, 'quality', j] }, findings),
      ),
    ),
    ...object.quality.map((rule, j) => qualityRule(rule, { path: [...path, 'quality', j] }, findings)),
  ];
  return {
    id,
    version,
    name: object.name,
    columns,
    rowRules: rules.flatMap((rule) => rule.row ?? []),
    fileRules: rules.flatMap((rule) => rule.file ?? []),
    ...(settings.format && { format: settings.format }),
    ...(settings.encoding && { encoding: settings.encoding }),
    csv: { delimiter: settings.delimiter, unknownColumns: settings.unknownColumns },
    maximumQuarantinedShare: settings.maximumQuarantinedShare,
    ...(settings.smallestGroup && { smallestGroup: settings.smallestGroup }),
    ...(settings.manifest && { manifest: settings.manifest }),
    ...(settings.controlTotals && { controlTotals: settings.controlTotals }),
    ...(settings.lookBack && { lookBack: settings.lookBack }),
  };
}

function columnOf(property: OdcsProperty, path: PropertyKey[], findings: Finding[]): Column {
  const settings = columnSettings(property.customProperties, [...path, 'customProperties'], findings);
  const column: { [key in keyof Column]: Column[key] | undefined } = {
    name: property.name,
    description: property.description,
    unit: settings.unit,
    headers: [property.physicalName ?? property.name, ...(settings.aliases ?? [])],
    type: property.logicalType,
    sqlType: (property.physicalType ?? usualTypes[property.logicalType]).toUpperCase(),
    required: property.required || property.primaryKey,
    unique: property.unique || property.primaryKey,
    primaryKey: property.primaryKey,
    letterCase: settings.case,
    values: settings.values,
    levels: property.quality.map(validValues).find((levels) => levels !== undefined),
    classification: property.classification,
    privacy: settings.privacy,
    derived: settings.derived,
    whenAbsent: settings.whenAbsent,
    ...property.logicalTypeOptions,
  };
  // what is not set is left out, so that the contract equals itself after a trip through JSON
  return Object.fromEntries(Object.entries(column).filter(([, value]) => value !== undefined)) as Column;
}

const usualTypes: { [type in LogicalType]: string } = {
  string: 'VARCHAR',
  integer: 'BIGINT',
  number: 'DOUBLE',
  boolean: 'BOOLEAN',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
};

/** `line 23, schema[0].properties[2].required`, the line where that value (or the nearest thing that is there) begins. */
function place(document: Document.Parsed, lines: LineCounter, path: readonly PropertyKey[]): string {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined;
    if (node?.range) return `line ${lines.linePos(node.range[0]).line}, ${pathText(path)}`;
  }
  return path.length > 0 ? pathText(path) : 'the document';
}
