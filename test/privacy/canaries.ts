import type { PrivacyClass } from '../../src/data/contract/privacy-class.ts';
import type { SafeHarborClass } from '../../src/privacy/classes.ts';

/** One invented person's identifiers: a column for each class of the Safe Harbor rule, and what stands in it. */
export type Canary = { column: string; privacy: PrivacyClass; class: SafeHarborClass; text: string };

/** Numbers that are nobody's: 555 exchanges, documentation addresses, test card and account numbers. */
export const canaries: readonly Canary[] = [
  { column: 'member_id', privacy: 'identifier', class: 'other unique codes', text: 'MBRZQ7710042' },
  { column: 'full_name', privacy: 'name', class: 'names', text: 'Zebulon Quackenbush' },
  { column: 'street', privacy: 'address', class: 'geography', text: '4711 Wolverine Hollow Road' },
  { column: 'zip', privacy: 'zip', class: 'geography', text: '83144' },
  { column: 'birth_date', privacy: 'birthDate', class: 'dates', text: '1931-07-04' },
  { column: 'admitted_on', privacy: 'date', class: 'dates', text: '2025-03-17' },
  { column: 'phone', privacy: 'phone', class: 'phone numbers', text: '(212) 555-0147' },
  { column: 'fax', privacy: 'fax', class: 'fax numbers', text: '212-555-0188' },
  { column: 'email', privacy: 'email', class: 'e-mail addresses', text: 'zebulon.q@quackenbush.example' },
  { column: 'ssn', privacy: 'ssn', class: 'social security numbers', text: '219-09-9999' },
  { column: 'mrn', privacy: 'medicalRecordNumber', class: 'medical record numbers', text: 'MRN-00817263' },
  { column: 'subscriber_id', privacy: 'healthPlanNumber', class: 'health plan numbers', text: '1EG4-TE5-MK73' },
  { column: 'iban', privacy: 'accountNumber', class: 'account numbers', text: 'GB82WEST12345698765432' },
  { column: 'licence_no', privacy: 'certificateNumber', class: 'certificate and licence numbers', text: 'D99120045' },
  { column: 'vin', privacy: 'vehicle', class: 'vehicle identifiers', text: '1M8GDM9AXKP042788' },
  { column: 'device_id', privacy: 'device', class: 'device identifiers', text: '00:1B:63:84:45:E6' },
  { column: 'homepage', privacy: 'url', class: 'URLs', text: 'https://zebulon.example/family' },
  { column: 'ip_address', privacy: 'ipAddress', class: 'IP addresses', text: '203.0.113.77' },
  { column: 'fingerprint', privacy: 'biometric', class: 'biometric identifiers', text: 'Rk1SACAyMAABv0ZlbQ==' },
  { column: 'photo', privacy: 'photo', class: 'photographs', text: 'zebulon-portrait.jpg' },
  { column: 'remarks', privacy: 'freeText', class: 'names', text: 'Daughter Philomena called about the wolverine' },
];
