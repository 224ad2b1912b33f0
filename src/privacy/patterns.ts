import type { SafeHarborClass } from './classes.ts';

/** How identifiers of a class look in text. A match is one only where `valid` agrees. */
export type Detector = { class: SafeHarborClass; pattern: RegExp; valid?: (match: string) => boolean };

/*
 * Precision before recall: the outputs are full of counts, hashes, times and model weights, and a scan that cries wolf is not
 * read. So a number is an identifier by its written form (123-45-6789), by its check digits, or by the word before it, and
 * never by its length. All quantifiers are bounded: no text takes more than linear time.
 */

/** Not within a longer word, number or code. */
const start = String.raw`(?<![\w.+/=-])`;
const end = String.raw`(?![\w/=]|[.-]\w)`;

const formed = (form: string, flags = 'g'): RegExp => new RegExp(`${start}(?:${form})${end}`, flags);

/** A value behind the words that say what it is: `MRN: 00123456`, `"mrn":"00123456"`, `mrn=123456`. */
const labelled = (words: string, value: string): RegExp =>
  new RegExp(String.raw`(?<![a-z])(?:${words})\.?\\?["']?\s{0,3}[:=#]?\s{0,3}\\?["']?(?:${value})${end}`, 'gi');

const northAmerican = String.raw`(?:\+?1[ .-]?)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[.-])[2-9]\d{2}[.-]\d{4}`;
const anyPhone = String.raw`\+?\(?\d[\d ().-]{6,16}\d`;
const international = String.raw`\+[1-9]\d{0,2}[ .-]\d{1,4}(?:[ .-]\d{2,5}){2,4}`;
const code = String.raw`[A-Z]{0,4}-?\d{5,14}`;
const months =
  'Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?';
const states =
  'A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]|PR';
const streets =
  'Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl|Square|Sq|Terrace|Highway|Hwy';

/** Dates finer than a year; `scanText` asks of each whether it is a day of the product's own doings. */
export const datePatterns: readonly RegExp[] = [
  formed(
    String.raw`(?<iso>(?:18|19|20)\d{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?`,
  ),
  formed(String.raw`(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01])/(?:18|19|20)\d{2}`),
  formed(String.raw`(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])\.(?:18|19|20)\d{2}`),
  formed(
    String.raw`(?:0?[1-9]|[12]\d|3[01]) (?:${months})\.? (?:18|19|20)\d{2}|(?:${months})\.? (?:0?[1-9]|[12]\d|3[01]),? (?:18|19|20)\d{2}`,
  ),
];

/** In this order: what one has found is not looked at by those behind it. */
export const detectors: readonly Detector[] = [
  { class: 'photographs', pattern: /data:image\/(?:jpeg|png|gif|webp|tiff|bmp)|\/9j\/4AAQ[\w+/]{8}/g },
  { class: 'photographs', pattern: /(?<![\w.-])[\w-]{1,80}\.(?:jpe?g|heic|dcm|tiff?)(?!\w)/gi },
  {
    class: 'e-mail addresses',
    pattern: /(?<![\w.+-])[\w.+-]{1,64}@[a-z\d-]{1,63}(?:\.[a-z\d-]{1,63}){0,4}\.[a-z]{2,24}(?![\w-])/gi,
  },
  {
    class: 'URLs',
    pattern: /(?<!\w)(?:(?:https?|ftp):\/\/|www\.)[a-z\d.-]{4,200}[^\s"'<>\\)]{0,500}/gi,
    valid: isForeign,
  },
  { class: 'fax numbers', pattern: labelled('fax(?:[ _-]?(?:no|number))?', anyPhone) },
  {
    class: 'phone numbers',
    pattern: labelled('(?:tele|cell|mobile|home|work)?[ _-]?(?:phone|mobile|tel)(?:[ _-]?(?:no|number))?', anyPhone),
  },
  { class: 'phone numbers', pattern: formed(`${northAmerican}|${international}`) },
  { class: 'social security numbers', pattern: formed(String.raw`(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}`) },
  {
    class: 'social security numbers',
    pattern: labelled('ssn|social[ _-]security(?:[ _-](?:no|number))?', String.raw`\d{3}[ -]?\d{2}[ -]?\d{4}`),
  },
  {
    class: 'medical record numbers',
    pattern: labelled('mrn|medical[ _-]?record(?:[ _-]?(?:no|number|id))?', String.raw`(?:mrn)?-?${code}`),
  },
  { class: 'medical record numbers', pattern: formed(String.raw`MRN[-_]?\d{5,12}`) },
  // the Medicare Beneficiary Identifier
  {
    class: 'health plan numbers',
    pattern: formed(
      String.raw`[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y\d]\d-?[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y\d]\d-?[AC-HJKMNP-RT-Y]{2}\d{2}`,
    ),
  },
  {
    class: 'health plan numbers',
    pattern: labelled(
      '(?:member|subscriber|beneficiary|policy(?:holder)?|health[ _-]?plan|insurance)[ _-]?(?:id|no|number|#)',
      code,
    ),
  },
  {
    class: 'account numbers',
    pattern: formed(String.raw`[A-Z]{2}\d{2}(?: ?[A-Z\d]{4}){3,7}(?: ?[A-Z\d]{1,3})?`),
    valid: isIban,
  },
  { class: 'account numbers', pattern: formed(String.raw`[3-6]\d{3}-\d{4}-\d{4}-\d{4}`), valid: passesLuhn },
  {
    class: 'account numbers',
    pattern: labelled('(?:account|acct|card)[ _-]?(?:no|number|id|#)?', String.raw`[A-Z]{0,4}-?\d[\d -]{5,20}\d`),
    valid: hasTwoDigits,
  },
  { class: 'vehicle identifiers', pattern: formed('[A-HJ-NPR-Z\\d]{17}'), valid: isVin },
  {
    class: 'vehicle identifiers',
    pattern:
      /(?<![a-z])(?:licen[cs]e[ _-]?plate|plate[ _-]?(?:no|number))\\?["']?\s?[:=#]?\s?\\?["']?[A-Z\d]{1,4}[ -]?[A-Z\d]{2,5}(?!\w)/gi,
  },
  {
    class: 'certificate and licence numbers',
    pattern: labelled(
      "(?:driver'?s?[ _-]?)?(?:licen[cs]e|certificate|passport)[ _-]?(?:no|number|id|#)?|dea[ _-](?:no|number)",
      String.raw`[A-Z]{0,3}-?\d{6,12}`,
    ),
  },
  {
    class: 'device identifiers',
    // a model lists its categories as 10:11:12:13 and so on
    pattern: formed(String.raw`(?<!:)(?:[\dA-F]{2}:){5}[\dA-F]{2}(?!:)|(?:[\dA-F]{2}-){5}[\dA-F]{2}`, 'gi'),
  },
  {
    class: 'device identifiers',
    pattern: labelled(
      String.raw`(?:imei|udi)(?!\w)|(?:device|serial)[ _-]?(?:id|no|number|serial)`,
      String.raw`[A-Z\d]{0,10}-?(?=\w{0,12}\d)[A-Z\d-]{6,24}`,
    ),
  },
  {
    class: 'IP addresses',
    pattern: formed(String.raw`(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`),
  },
  {
    class: 'IP addresses',
    pattern:
      /(?<![\w:.])(?:[\da-f]{1,4}:){7}[\da-f]{1,4}(?![\w:])|(?<![\w:.])(?:[\da-f]{1,4}:){2,6}:(?:[\da-f]{1,4}:?){1,5}(?![\w:])/gi,
  },
  {
    class: 'biometric identifiers',
    pattern: labelled(
      String.raw`(?:fingerprint|voice[ _-]?print|retina|iris|face)(?:[ _-]?(?:scan|template|id|hash)|(?=\\?["']?[:=]))`,
      '[\\w+/=-]{6,500}',
    ),
  },
  {
    class: 'geography',
    pattern: formed(String.raw`\d{1,5} (?:[NSEW]\.? )?[A-Z][a-z]{1,20}(?: [A-Z][a-z]{1,20}){0,2} (?:${streets})\.?`),
  },
  { class: 'geography', pattern: formed(String.raw`(?:${states}) \d{5}(?:-\d{4})?`) },
  { class: 'geography', pattern: labelled('zip(?:[ _-]?code)?|post(?:al)?[ _-]?code', String.raw`\d{5}(?:-?\d{4})?`) },
  {
    class: 'names',
    pattern: labelled(
      '(?:first|last|middle|maiden|full|given|family|patient|member|customer|insured)[ _-]?name|surname',
      '[A-Z][a-z]{1,30}',
    ),
    valid: hasCapital,
  },
  { class: 'names', pattern: /(?<!\w)(?:Mr|Mrs|Ms|Dr)\.? [A-Z][a-z]{1,30}(?!\w)/g },
  {
    class: 'other unique codes',
    pattern: labelled('(?:study|trial|subject|participant|customer|claim|patient)[ _-]?(?:id|no|number|code)', code),
  },
];

/** What looks like an identifier and is the product's own: random ids, digests, fractions, examples of a grammar. Blanked before anything is looked for. */
export const ownCodes: readonly RegExp[] = [
  /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/gi,
  /(?<![\w])[\da-f]{32,128}(?!\w)/g,
  /such as \d{4}-\d{2}-\d{2}(?:T[\d:]{8}Z)?/g,
  /(?<![\w.-])-?\d{1,20}\.\d{1,30}(?:e[+-]?\d{1,3})?(?![\w.-])/gi,
];

/** Addresses of a standard are nobody's. */
function isForeign(url: string): boolean {
  return !/^https?:\/\/(?:www\.)?(?:w3\.org|json-schema\.org)(?:\/|$)/i.test(url);
}

/** ISO 13616: moved, with letters as numbers, the whole leaves 1 modulo 97. */
function isIban(text: string): boolean {
  const bare = text.replaceAll(' ', '');
  const digits = Array.from(bare.slice(4) + bare.slice(0, 4), (sign) => Number.parseInt(sign, 36)).join('');
  return Array.from(digits).reduce((rest, digit) => (rest * 10 + Number(digit)) % 97, 0) === 1;
}

/** ISO/IEC 7812-1, annex B. */
function passesLuhn(text: string): boolean {
  const digits = Array.from(text.replaceAll(/\D/g, ''), Number).reverse();
  const sum = digits.reduce((sum, digit, i) => sum + (i % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2), 0);
  return sum % 10 === 0;
}

/** The check digit in the ninth place, 49 CFR 565.15(c). */
function isVin(text: string): boolean {
  const values: { [sign: string]: number } = {};
  for (const [i, sign] of 'ABCDEFGH'.split('').entries()) values[sign] = i + 1;
  for (const [i, sign] of 'JKLMN'.split('').entries()) values[sign] = i + 1;
  Object.assign(values, { P: 7, R: 9, S: 2, T: 3, U: 4, V: 5, W: 6, X: 7, Y: 8, Z: 9 });
  const weights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
  const rest = Array.from(text).reduce((sum, sign, i) => sum + weights[i] * (values[sign] ?? Number(sign)), 0) % 11;
  return /[A-Z]/.test(text) && text[8] === (rest === 10 ? 'X' : String(rest));
}

/** 000000000000 is nobody's account. */
function hasTwoDigits(text: string): boolean {
  return new Set(text.replaceAll(/\D/g, '')).size > 1;
}

/** `first name: Ada`, not `first name: the`. */
function hasCapital(text: string): boolean {
  return /[A-Z][a-z]{1,30}$/.test(text);
}
