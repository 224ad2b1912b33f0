/**
 * Just enough of a WebAssembly assembler for the kernels: expressions are nested lists of bytes, a function is its types,
 * its locals and a body. Encoding after the WebAssembly core specification 2.0, chapter 5, with 128-bit SIMD;
 * of the threads proposal only that a memory may be shared.
 */
export type Code = number | readonly Code[];

export const i32 = 0x7f;
export const f64 = 0x7c;
export const v128 = 0x7b;

export type WasmFunction = { name: string; parameters: number[]; results: number[]; locals: number[]; body: Code };

/** The bytes of a module that imports its memory, shared between threads or not, as `host.memory` and exports the functions by name. */
export function moduleBytes(functions: readonly WasmFunction[], isShared: boolean): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters, results }) => [0x60, vector(parameters), vector(results)]);
  const codes = functions.map(({ locals, body }) => {
    const code = flat([vector(locals.map((type) => [1, type])), body, 0x0b]);
    return [unsigned(code.length), code];
  });
  const anySize = isShared ? [0x03, unsigned(0), unsigned(65536)] : [0x00, unsigned(0)];
  const sections: [number, Code][] = [
    [1, vector(types)],
    [2, vector([[text('host'), text('memory'), 0x02, anySize]])],
    [3, vector(functions.map((_, index) => unsigned(index)))],
    [7, vector(functions.map(({ name }, index) => [text(name), 0x00, unsigned(index)]))],
    [10, vector(codes)],
  ];
  return Uint8Array.from(
    flat([
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      sections.map(([id, content]) => {
        const bytes = flat(content);
        return [id, unsigned(bytes.length), bytes];
      }),
    ]),
  );
}

export const get = (local: number): Code => [0x20, unsigned(local)];
export const set = (local: number, value: Code): Code => [value, 0x21, unsigned(local)];
export const integer = (value: number): Code => [0x41, signed(value)];
export const add = (a: Code, b: Code): Code => [a, b, 0x6a];
export const multiply = (a: Code, b: Code): Code => [a, b, 0x6c];
export const subtract = (a: Code, b: Code): Code => [a, b, 0x6b];
export const and = (a: Code, b: Code): Code => [a, b, 0x71];
export const or = (a: Code, b: Code): Code => [a, b, 0x72];
export const exclusiveOr = (a: Code, b: Code): Code => [a, b, 0x73];
export const shiftLeft = (a: Code, bits: number): Code => [a, integer(bits), 0x74];
export const bitAt = (place: Code): Code => [integer(1), place, 0x74];
export const shiftRight = (a: Code, bits: number): Code => [a, integer(bits), 0x76];
export const shiftRightBy = (a: Code, bits: Code): Code => [a, bits, 0x76];
export const lowestBit = (a: Code): Code => [a, 0x68]; // i32.ctz
export const equal = (a: Code, b: Code): Code => [a, b, 0x46];
export const less = (a: Code, b: Code): Code => [a, b, 0x49]; // i32.lt_u
export const lessOrEqual = (a: Code, b: Code): Code => [a, b, 0x4c]; // i32.le_s

export const load32 = (address: Code, offset = 0): Code => [address, 0x28, 2, unsigned(offset)];
export const store32 = (address: Code, value: Code): Code => [address, value, 0x36, 2, 0];
export const load8 = (address: Code, offset = 0): Code => [address, 0x2d, 0, unsigned(offset)];
export const store8 = (address: Code, value: Code): Code => [address, value, 0x3a, 0, 0];

/** Moves eight bytes, whatever they are. */
export const copy64 = (to: Code, from: Code): Code => [to, [from, 0x29, 0, 0], 0x37, 0, 0];

/** Operations on doubles. */
export const double = {
  load: (address: Code, offset = 0): Code => [address, 0x2b, 3, unsigned(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [address, value, 0x39, 3, unsigned(offset)],
  constant: (value: number): Code => [0x44, [...new Uint8Array(Float64Array.of(value).buffer)]],
  floor: (a: Code): Code => [a, 0x9c],
  add: (a: Code, b: Code): Code => [a, b, 0xa0],
  subtract: (a: Code, b: Code): Code => [a, b, 0xa1],
  multiply: (a: Code, b: Code): Code => [a, b, 0xa2],
  divide: (a: Code, b: Code): Code => [a, b, 0xa3],
  greater: (a: Code, b: Code): Code => [a, b, 0x64],
  greaterOrEqual: (a: Code, b: Code): Code => [a, b, 0x66],
  lessOrEqual: (a: Code, b: Code): Code => [a, b, 0x65],
  differ: (a: Code, b: Code): Code => [a, b, 0x62],
  /** The whole part as an int32; the value must be in its range. */
  truncated: (a: Code): Code => [a, 0xaa],
};

const simd = (opcode: number): Code => [0xfd, unsigned(opcode)];

/** Operations on two doubles at once. Comparisons give all ones or all zeros per lane. */
export const pair = {
  load: (address: Code, offset = 0): Code => [address, simd(0x00), 4, unsigned(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [address, value, simd(0x0b), 4, unsigned(offset)],
  zero: [simd(0x0c), Array.from({ length: 16 }, () => 0)] as Code,
  /** The two lanes picked from the four of a and b, numbered 0 to 3. */
  pick: (a: Code, b: Code, first: number, second: number): Code => [
    a,
    b,
    simd(0x0d),
    [first, second].map((lane) => Array.from({ length: 8 }, (_, byte) => lane * 8 + byte)),
  ],
  both: (a: Code): Code => [a, simd(0x14)],
  lane: (a: Code, lane: number): Code => [a, simd(0x21), lane],
  differ: (a: Code, b: Code): Code => [a, b, simd(0x48)],
  greater: (a: Code, b: Code): Code => [a, b, simd(0x4a)],
  lessOrEqual: (a: Code, b: Code): Code => [a, b, simd(0x4b)],
  greaterOrEqual: (a: Code, b: Code): Code => [a, b, simd(0x4c)],
  and: (a: Code, b: Code): Code => [a, b, simd(0x4e)],
  any: (a: Code): Code => [a, simd(0x53)],
  floor: (a: Code): Code => [a, simd(0x75)],
  add: (a: Code, b: Code): Code => [a, b, simd(0xf0)],
  subtract: (a: Code, b: Code): Code => [a, b, simd(0xf1)],
  multiply: (a: Code, b: Code): Code => [a, b, simd(0xf2)],
  divide: (a: Code, b: Code): Code => [a, b, simd(0xf3)],
};

/** Operations on four int32 at once. */
export const four = {
  load: pair.load,
  store: pair.store,
  all: (a: Code): Code => [a, simd(0x11)],
  /** What two comparisons of pairs gave: all ones or all zeros for each of the four. */
  ofPairs: (a: Code, b: Code): Code => [
    a,
    b,
    simd(0x0d),
    [0, 8, 16, 24].map((first) => Array.from({ length: 4 }, (_, byte) => first + byte)),
  ],
  and: pair.and,
  or: (a: Code, b: Code): Code => [a, b, simd(0x50)],
  exclusiveOr: (a: Code, b: Code): Code => [a, b, simd(0x51)],
};

/** Repeats the body while the condition holds, which is tested first. */
export function whileLoop(condition: Code, body: Code): Code {
  return [
    [0x02, 0x40, 0x03, 0x40], // block, loop
    [condition, 0x45, 0x0d, 1], // leave when the condition is zero
    [body, 0x0c, 0],
    [0x0b, 0x0b],
  ];
}

export const when = (condition: Code, then: Code): Code => [condition, 0x04, 0x40, then, 0x0b];

export const whenElse = (condition: Code, then: Code, otherwise: Code): Code => [
  [condition, 0x04, 0x40],
  [then, 0x05, otherwise, 0x0b],
];

/** One of two values of the same type, without a branch: both are computed. */
export const either = (condition: Code, then: Code, otherwise: Code): Code => [then, otherwise, condition, 0x1b];

/** Calls a function of the same program, by its place in it. */
export const call = (place: number, given: readonly Code[]): Code => [given, 0x10, unsigned(place)];

function vector(items: readonly Code[]): Code {
  return [unsigned(items.length), items];
}

function text(value: string): Code {
  return vector([...new TextEncoder().encode(value)]);
}

/** LEB128. */
function unsigned(value: number): Code {
  const bytes: number[] = [];
  let left = value;
  do {
    bytes.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    left >>>= 7;
  } while (left > 0);
  return bytes;
}

function signed(value: number): Code {
  const bytes: number[] = [];
  let left = value;
  for (;;) {
    const low = left & 0x7f;
    left >>= 7;
    const isLast = (left === 0 && (low & 0x40) === 0) || (left === -1 && (low & 0x40) !== 0);
    bytes.push(isLast ? low : low | 0x80);
    if (isLast) return bytes;
  }
}

function flat(code: Code): number[] {
  return typeof code === 'number' ? [code] : code.flatMap(flat);
}
