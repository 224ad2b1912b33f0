import type { PrivacyClass } from '../data/contract/privacy-class.ts';

/** The identifiers of the Safe Harbor rule, 45 CFR 164.514(b)(2)(i), (A) to (R) in their order. */
export const safeHarborClasses = [
  'names',
  'geography',
  'dates',
  'phone numbers',
  'fax numbers',
  'e-mail addresses',
  'social security numbers',
  'medical record numbers',
  'health plan numbers',
  'account numbers',
  'certificate and licence numbers',
  'vehicle identifiers',
  'device identifiers',
  'URLs',
  'IP addresses',
  'biometric identifiers',
  'photographs',
  'other unique codes',
] as const;
export type SafeHarborClass = (typeof safeHarborClasses)[number];

/**
 * What becomes of a column between bronze and silver. `surrogate`: a random code from the vault. `drop`: the column does not
 * exist outside the PHI zone. `cap`: 90 stands for 90 and above. `zip3`: the first three digits, or 000. `year`: the year
 * alone, and none of people of 90 and above. `keep`: as it is.
 */
export type Treatment = 'surrogate' | 'drop' | 'cap' | 'zip3' | 'year' | 'keep';

type Rule = {
  treatment: Treatment;
  /** Which of the 18 the column would be, were it let out. */
  safeHarbor?: SafeHarborClass;
  /** Tells about a person together with others: counted in the smallest group. */
  quasi?: true;
};

export const privacyRules: { readonly [Class in PrivacyClass]: Rule } = {
  identifier: { treatment: 'surrogate', safeHarbor: 'other unique codes' },
  name: { treatment: 'drop', safeHarbor: 'names' },
  address: { treatment: 'drop', safeHarbor: 'geography' },
  phone: { treatment: 'drop', safeHarbor: 'phone numbers' },
  fax: { treatment: 'drop', safeHarbor: 'fax numbers' },
  email: { treatment: 'drop', safeHarbor: 'e-mail addresses' },
  ssn: { treatment: 'drop', safeHarbor: 'social security numbers' },
  medicalRecordNumber: { treatment: 'drop', safeHarbor: 'medical record numbers' },
  healthPlanNumber: { treatment: 'drop', safeHarbor: 'health plan numbers' },
  accountNumber: { treatment: 'drop', safeHarbor: 'account numbers' },
  certificateNumber: { treatment: 'drop', safeHarbor: 'certificate and licence numbers' },
  vehicle: { treatment: 'drop', safeHarbor: 'vehicle identifiers' },
  device: { treatment: 'drop', safeHarbor: 'device identifiers' },
  url: { treatment: 'drop', safeHarbor: 'URLs' },
  ipAddress: { treatment: 'drop', safeHarbor: 'IP addresses' },
  biometric: { treatment: 'drop', safeHarbor: 'biometric identifiers' },
  photo: { treatment: 'drop', safeHarbor: 'photographs' },
  otherCode: { treatment: 'drop', safeHarbor: 'other unique codes' },
  zip: { treatment: 'zip3', safeHarbor: 'geography', quasi: true },
  birthDate: { treatment: 'year', safeHarbor: 'dates', quasi: true },
  date: { treatment: 'year', safeHarbor: 'dates' },
  age: { treatment: 'cap', safeHarbor: 'dates', quasi: true },
  // names cannot be found in prose with certainty, so prose stays where it is
  freeText: { treatment: 'drop', safeHarbor: 'names' },
  pseudonym: { treatment: 'keep' },
  recordTime: { treatment: 'keep' },
  quasiIdentifier: { treatment: 'keep', quasi: true },
  none: { treatment: 'keep' },
};

/** Ages from here on are one class. */
export const oldestAge = 90;

/**
 * Three-digit ZIP areas of 20,000 people or fewer, which are told as 000: those of the census of 2000 that the rule's guidance
 * lists, and those that later censuses added.
 */
export const restrictedZip3 = [
  '036', '059', '063', '102', '203', '205', '369', '556', '692', '790', '821', '823',
  '830', '831', '878', '879', '884', '890', '893',
] as const; // prettier-ignore
