/** One way in which a record goes wrong, with the rule of the contract that finds it. */
export type Dirt = { rule: string; column: string; text: string } | { rule: 'csv.fields'; fields: 'fewer' | 'more' };

/**
 * A CSV file written field by field into one growing array of bytes: hundreds of thousands of records never become strings.
 * Everything in it is ASCII without commas, quotation marks and line ends.
 */
export class CsvBytes {
  #bytes = new Uint8Array(1 << 20);
  #length = 0;
  readonly #header: readonly string[];
  #column = 0;
  #spoiltColumn = -1;
  #spoiltText = '';
  #lastColumn = Infinity;
  #isLong = false;
  rows = 0;
  readonly dirt: { [rule: string]: number } = {};

  constructor(header: readonly string[]) {
    this.#header = header;
    for (const name of header) this.text(name);
    this.#newLine();
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Begins a record; with dirt, one of its fields will be written otherwise, or there will be fewer or more of them. */
  begin(dirt?: Dirt): void {
    if (dirt === undefined) return;
    this.dirt[dirt.rule] = (this.dirt[dirt.rule] ?? 0) + 1;
    if ('column' in dirt) {
      this.#spoiltColumn = this.#header.indexOf(dirt.column);
      this.#spoiltText = dirt.text;
    } else if (dirt.fields === 'fewer') this.#lastColumn = this.#header.length >> 1;
    else this.#isLong = true;
  }

  end(): void {
    if (this.#isLong) this.text('');
    this.#newLine();
    this.rows++;
    this.#spoiltColumn = -1;
    this.#lastColumn = Infinity;
    this.#isLong = false;
  }

  text(value: string): void {
    if (this.#next()) this.#ascii(value);
  }

  integer(value: number): void {
    if (this.#next()) this.#number(value);
  }

  /** A number of hundredths, with its point. */
  hundredths(value: number): void {
    if (!this.#next()) return;
    this.#number(Math.floor(value / 100));
    this.#bytes[this.#length++] = point;
    this.#twoDigits(value % 100);
  }

  boolean(value: boolean): void {
    if (this.#next()) this.#ascii(value ? 'true' : 'false');
  }

  /** 2026-01-31 */
  day(atMs: number): void {
    if (this.#next()) this.#ascii(dayText(atMs));
  }

  /** 2026-01-31T17:45:00Z */
  second(atMs: number): void {
    if (!this.#next()) return;
    this.#ascii(dayText(atMs));
    const seconds = Math.floor(atMs / 1000) % 86_400;
    this.#bytes[this.#length++] = letterT;
    this.#twoDigits(Math.floor(seconds / 3600));
    this.#bytes[this.#length++] = colon;
    this.#twoDigits(Math.floor(seconds / 60) % 60);
    this.#bytes[this.#length++] = colon;
    this.#twoDigits(seconds % 60);
    this.#bytes[this.#length++] = letterZ;
  }

  /** A field without a value. */
  missing(): void {
    this.#next();
  }

  /** Goes to the next field; false where its value is not to be written. */
  #next(): boolean {
    const column = this.#column++;
    if (column >= this.#lastColumn) return false;
    if (this.#length + roomOfField > this.#bytes.length) this.#grow();
    if (column > 0) this.#bytes[this.#length++] = comma;
    if (column !== this.#spoiltColumn) return true;
    this.#ascii(this.#spoiltText);
    return false;
  }

  #newLine(): void {
    this.#bytes[this.#length++] = lineFeed;
    this.#column = 0;
  }

  #ascii(text: string): void {
    for (let i = 0; i < text.length; i++) this.#bytes[this.#length++] = text.charCodeAt(i);
  }

  #number(value: number): void {
    let divisor = 1;
    while (divisor * 10 <= value) divisor *= 10;
    for (let rest = value; divisor >= 1; divisor /= 10) {
      const digit = Math.floor(rest / divisor);
      this.#bytes[this.#length++] = zero + digit;
      rest -= digit * divisor;
    }
  }

  #twoDigits(value: number): void {
    this.#bytes[this.#length++] = zero + Math.floor(value / 10);
    this.#bytes[this.#length++] = zero + (value % 10);
  }

  #grow(): void {
    const larger = new Uint8Array(this.#bytes.length * 2);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** The most bytes that a field, its delimiter and a line end take. */
const roomOfField = 128;
const [comma, point, colon, letterT, letterZ, zero, lineFeed] = Buffer.from(',.:TZ0\n');

const dayTexts = new Map<number, string>();

function dayText(atMs: number): string {
  const day = Math.floor(atMs / 86_400_000);
  let text = dayTexts.get(day);
  if (text === undefined) {
    text = new Date(day * 86_400_000).toISOString().slice(0, 10);
    dayTexts.set(day, text);
  }
  return text;
}
