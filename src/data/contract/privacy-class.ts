import type { Column } from './contract.ts';

/**
 * What a column tells about a person; `src/privacy/classes.ts` says what becomes of each. The first group are the identifiers
 * of the Safe Harbor rule, 45 CFR 164.514(b)(2)(i).
 */
export const privacyClasses = [
  /** The number under which rows of one person or contract are joined. */
  'identifier',
  'name',
  'address',
  'phone',
  'fax',
  'email',
  'ssn',
  'medicalRecordNumber',
  'healthPlanNumber',
  'accountNumber',
  'certificateNumber',
  'vehicle',
  'device',
  'url',
  'ipAddress',
  'biometric',
  'photo',
  'otherCode',
  'zip',
  'birthDate',
  /** A date of the person: admission, service, enrolment, death. */
  'date',
  'age',
  /** Written by people for people: anything may stand in it. */
  'freeText',
  /** A random code that the sender gave out in place of its own number; only the sender can tell whose it is. */
  'pseudonym',
  /** When the sender's system made the record: no date of the person. */
  'recordTime',
  /** Identifies nobody by itself, but may together with others. */
  'quasiIdentifier',
  'none',
] as const;
export type PrivacyClass = (typeof privacyClasses)[number];

/**
 * What the column is declared to be, or the safe guess: keys are identifiers, dates are dates of the person, and a text that
 * the contract does not enumerate is free text. Numbers, truth values and enumerated texts are none of it.
 */
export function privacyClassOf(column: Column): PrivacyClass {
  if (column.privacy !== undefined) return column.privacy;
  if (column.primaryKey) return 'identifier';
  if (column.whenAbsent === 'arrivalTime') return 'recordTime';
  if (column.type === 'date' || column.type === 'timestamp') return 'date';
  return column.type === 'string' && column.levels === undefined && column.values === undefined ? 'freeText' : 'none';
}

/** Where a column's class is missing although it must not be guessed, or does not fit the column. */
export function privacyFindings(column: Column): string[] {
  const { name, classification, type, derived } = column;
  const findings: string[] = [];
  if (classification?.toLowerCase() === 'restricted' && keeps(column.privacy)) {
    findings.push(
      `"${name}" is restricted and ${column.privacy === undefined ? 'has no' : `would be kept by its`} treatment: ` +
        `say what it is by the customProperty "privacy", one of ${privacyClasses.filter((known) => !keeps(known)).join(', ')}`,
    );
  } else if (column.privacy === undefined) {
    const looks = tellingClass([name, ...column.headers]);
    if (looks) {
      findings.push(
        `"${name}" looks like ${looks}: say what it is by the customProperty "privacy" (none, if it is nothing of a person)`,
      );
    }
  }
  const fitting = types[privacyClassOf(column)];
  if (fitting && !fitting.includes(type)) {
    findings.push(
      `a column of the class ${privacyClassOf(column)} needs the logicalType ${fitting.join(' or ')}, it is ${type}`,
    );
  }
  if (derived !== undefined && (column.whenAbsent !== 'missing' || type === 'date' || type === 'timestamp')) {
    findings.push(
      '"derived" needs "whenAbsent: missing", as no file carries the column, and a logicalType that is no time',
    );
  }
  return findings;
}

/** Classes whose values leave the PHI zone as they are. */
const keeps = (privacy: PrivacyClass | undefined): boolean =>
  privacy === undefined || ['pseudonym', 'recordTime', 'quasiIdentifier', 'none'].includes(privacy);

const times: Column['type'][] = ['date', 'timestamp'];
const types: { [known in PrivacyClass]?: Column['type'][] } = {
  identifier: ['string'],
  pseudonym: ['string'],
  zip: ['string'],
  age: ['integer', 'number'],
  birthDate: times,
  date: times,
  recordTime: times,
};

/** Words in a column's name that give it away. */
const telling: readonly (readonly [RegExp, PrivacyClass])[] = [
  [/(^|_)(ssn|social_security)(_|$)/, 'ssn'],
  [/(^|_)(dob|birth_?date|date_of_birth|birthday)(_|$)/, 'birthDate'],
  [/^(.*_)?age(_(in_)?years)?$/, 'age'],
  [/(^|_)(zip|zip_?code|postal_?code|postcode)(_|$)/, 'zip'],
  [/(^|_)e?_?mail(_address)?$/, 'email'],
  [/(^|_)(phone|telephone|mobile|cell)(_|$)/, 'phone'],
  [/(^|_)fax(_|$)/, 'fax'],
  [/(^|_)((first|last|middle|maiden|given|family|full|member|patient|customer|insured)_?name|surname)$/, 'name'],
  [/(^|_)(mrn|medical_record)(_|$)/, 'medicalRecordNumber'],
  [/(^|_)(subscriber|beneficiary|health_plan)_(id|no|number)$/, 'healthPlanNumber'],
  [/(^|_)(iban|account_(id|no|number)|card_number)$/, 'accountNumber'],
  [/(^|_)(passport|licen[cs]e_(no|number)|drivers?_licen[cs]e|certificate_(no|number))(_|$)/, 'certificateNumber'],
  [/(^|_)(vin|licen[cs]e_plate)$/, 'vehicle'],
  [/(^|_)(imei|mac_address|device_(id|serial)|serial_(no|number))$/, 'device'],
  [/(^|_)(ip|ip_address)$/, 'ipAddress'],
  [/(^|_)(url|website|homepage)$/, 'url'],
  [/(^|_)(fingerprint|voice_?print|retina|biometric)(_|$)/, 'biometric'],
  [/(^|_)(photo|portrait)(_|$)/, 'photo'],
  [/(^|_)(street|address|address_line_?\d|city|county)$/, 'address'],
];

/** The class that a column's names give away, if one of them does. */
export function tellingClass(names: readonly string[]): PrivacyClass | undefined {
  return telling.find(([words]) => names.some((name) => words.test(snakeCase(name))))?.[1];
}

const snakeCase = (text: string): string =>
  text
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[\s-]+/g, '_')
    .toLowerCase();
