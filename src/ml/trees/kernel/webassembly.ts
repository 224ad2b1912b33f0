import {
  type Code,
  type WasmFunction,
  add,
  and,
  bitAt,
  copy64,
  double,
  equal,
  f64,
  get,
  i32,
  integer,
  less,
  lessOrEqual,
  load32,
  load8,
  lowestBit,
  multiply,
  or,
  pair,
  set,
  shiftLeft,
  shiftRight,
  store32,
  subtract as minus,
  v128,
  when,
  whileLoop,
} from './assembler.ts';
import { instantiate, lazyModule } from './module.ts';
import { type KernelOperations, slotEntries } from './operations.ts';

/**
 * A block of memory of at least so many bytes and the kernel on it, in WebAssembly. Null where there is no WebAssembly with SIMD, or
 * not so much memory.
 */
export function webAssemblyOperations(bytes: number): { memory: ArrayBufferLike; operations: KernelOperations } | null {
  const instance = instantiate(compiled, bytes);
  return instance === null ? null : { memory: instance.memory, operations: instance.exports as KernelOperations };
}

const compiled = lazyModule(program);

function program(): WasmFunction[] {
  return [
    build('buildOne', oneLane, false),
    build('buildTwo', twoLanes, false),
    build('buildListedOne', oneLane, true),
    build('buildListedTwo', twoLanes, true),
    subtract(),
    scanOne(),
    scanTwo(),
    scanRowsOne(),
  ];
}

/** How an entry of one or two doubles is loaded, added to and stored. */
type Lanes = { type: number; entryBits: number; ops: typeof double | typeof pair };

const oneLane: Lanes = { type: f64, entryBits: 3, ops: double };
const twoLanes: Lanes = { type: v128, entryBits: 4, ops: pair };

/** Slots handled in one turn of the inner loop, their places in the histogram being constants of the code. */
const unrolled = 8;

/**
 * Rows of a leaf lie scattered. They are first copied together, some at a time: the copying loop is so short that the processor
 * fetches many rows from memory at once, while the adding loop would wait for each.
 */
const gatheredRows = 64;

function build(name: string, { type, entryBits, ops }: Lanes, isListed: boolean): WasmFunction {
  const parameters = isListed ? 9 : 7;
  const [bins, slots, order, orderEnd, values, histogram, buffer, list, listEnd] = Array.from(
    { length: 9 },
    (_, i) => i,
  );
  const [from, at, to, mainEnd, rowEnd, run, entry, chunkEnd, valueAt, value] = Array.from(
    { length: 10 },
    (_, i) => parameters + i,
  );
  const runBytes = slotEntries << entryBits;
  const step = (local: number, by: number) => set(local, add(get(local), integer(by)));
  const addAt = (address: Code, offset: number) => [
    set(entry, address),
    ops.store(get(entry), ops.add(ops.load(get(entry), offset), get(value)), offset),
  ];
  const entryOf = (bin: Code, start: Code) => add(start, shiftLeft(bin, entryBits));

  // values to the front of the buffer, the bins of the rows behind them
  const gather: Code = [
    set(chunkEnd, add(get(order), integer(4 * gatheredRows))),
    when(less(get(orderEnd), get(chunkEnd)), set(chunkEnd, get(orderEnd))),
    set(to, add(get(buffer), integer(gatheredRows << entryBits))),
    set(valueAt, get(buffer)),
    whileLoop(less(get(order), get(chunkEnd)), [
      set(from, add(get(bins), multiply(load32(get(order)), get(slots)))),
      set(rowEnd, add(get(to), get(slots))),
      ops.store(get(valueAt), ops.load(add(get(values), shiftLeft(load32(get(order)), entryBits)))),
      // whole words: the bytes beyond the row are overwritten by the next one
      set(at, get(to)),
      whileLoop(less(get(at), get(rowEnd)), [copy64(get(at), get(from)), step(at, 8), step(from, 8)]),
      set(to, get(rowEnd)),
      step(valueAt, 1 << entryBits),
      step(order, 4),
    ]),
  ];
  const everySlot: Code = [
    set(mainEnd, add(get(at), and(get(slots), integer(-unrolled)))),
    set(rowEnd, add(get(at), get(slots))),
    set(run, get(histogram)),
    whileLoop(less(get(at), get(mainEnd)), [
      Array.from({ length: unrolled }, (_, u) => addAt(entryOf(load8(get(at), u), get(run)), u * runBytes)),
      step(at, unrolled),
      step(run, unrolled * runBytes),
    ]),
    whileLoop(less(get(at), get(rowEnd)), [
      addAt(entryOf(load8(get(at)), get(run)), 0),
      step(at, 1),
      step(run, runBytes),
    ]),
  ];
  // `mainEnd` walks the list and `from` holds the slot
  const listedSlots: Code = [
    set(mainEnd, get(list)),
    whileLoop(less(get(mainEnd), get(listEnd)), [
      set(from, load32(get(mainEnd))),
      set(run, add(get(histogram), multiply(get(from), integer(runBytes)))),
      addAt(entryOf(load8(add(get(at), get(from))), get(run)), 0),
      step(mainEnd, 4),
    ]),
    set(at, add(get(at), get(slots))),
  ];
  return {
    name,
    parameters: Array.from({ length: parameters }, () => i32),
    results: [],
    locals: [...Array.from({ length: 9 }, () => i32), type],
    body: whileLoop(less(get(order), get(orderEnd)), [
      gather,
      set(at, add(get(buffer), integer(gatheredRows << entryBits))),
      set(to, get(valueAt)),
      set(valueAt, get(buffer)),
      whileLoop(less(get(valueAt), get(to)), [
        set(value, ops.load(get(valueAt))),
        isListed ? listedSlots : everySlot,
        step(valueAt, 1 << entryBits),
      ]),
    ]),
  };
}

/** What a buffer must hold for the copies of a kernel on so many slots and lanes. */
export function gatherBytes(slots: number, lanes: number): number {
  return gatheredRows * (slots + 8 * lanes) + 16;
}

function subtract(): WasmFunction {
  const [parent, child, bytes, end] = [0, 1, 2, 3];
  return {
    name: 'subtract',
    parameters: [i32, i32, i32],
    results: [],
    locals: [i32],
    body: [
      set(end, add(get(parent), get(bytes))),
      whileLoop(less(get(parent), get(end)), [
        pair.store(get(parent), pair.subtract(pair.load(get(parent)), pair.load(get(child)))),
        set(parent, add(get(parent), integer(16))),
        set(child, add(get(child), integer(16))),
      ]),
    ],
  };
}

const one = double.constant(1);
const zero = double.constant(0);

/** Both scans take two bins a round: lane 0 sums up to the first, lane 1 up to the second. */
type Sides = {
  left: number;
  leftHessian: number;
  leftCount: number;
  right: number;
  rightHessian: number;
  rightCount: number;
};

/** The sums up to bin and up to the next one, from what came before: [before + a, before + a + b]. */
function runningSums(before: number, entries: Code, held: number): Code {
  return [
    set(held, entries),
    set(
      before,
      pair.add(pair.pick(get(before), get(before), 1, 1), pair.add(get(held), pair.pick(pair.zero, get(held), 0, 2))),
    ),
  ];
}

/**
 * Keeps the boundary of either lane when its sides are large enough and it gains more than needed. Both lanes are first tested at
 * once on the gain alone, by products instead of quotients; few pass.
 */
function keepBetter(
  { left, leftHessian, leftCount, right, rightHessian, rightCount }: Sides,
  least: { count: number; hessian: number },
  lambda: number,
  found: { needed: number; position: number; bin: number; last: number; gain: number },
): Code {
  const { needed, position, bin, last, gain } = found;
  const leftWeight = pair.add(get(leftHessian), get(lambda));
  const rightWeight = pair.add(get(rightHessian), get(lambda));
  const square = (local: number) => pair.multiply(get(local), get(local));
  const products = pair.add(pair.multiply(square(left), rightWeight), pair.multiply(square(right), leftWeight));
  const promising = pair.greater(
    products,
    pair.multiply(pair.both(get(needed)), pair.multiply(leftWeight, rightWeight)),
  );

  const perLane = [0, 1].map((lane) => {
    const of = (value: Code) => pair.lane(value, lane);
    const squareOf = (local: number) => double.multiply(of(get(local)), of(get(local)));
    const exceeds = double.greater(
      double.add(double.multiply(squareOf(left), of(rightWeight)), double.multiply(squareOf(right), of(leftWeight))),
      double.multiply(get(needed), double.multiply(of(leftWeight), of(rightWeight))),
    );
    // with an odd number of bins the last round reaches one entry too far
    const allowed = [
      lessOrEqual(add(get(bin), integer(lane)), get(last)),
      double.greaterOrEqual(of(get(leftCount)), of(get(least.count))),
      double.greaterOrEqual(of(get(rightCount)), of(get(least.count))),
      double.greaterOrEqual(of(get(leftHessian)), of(get(least.hessian))),
      double.greaterOrEqual(of(get(rightHessian)), of(get(least.hessian))),
      exceeds,
    ].reduce(and);
    return when(allowed, [
      set(
        gain,
        double.add(double.divide(squareOf(left), of(leftWeight)), double.divide(squareOf(right), of(rightWeight))),
      ),
      when(double.greater(get(gain), get(needed)), [
        set(needed, get(gain)),
        set(position, add(get(bin), integer(lane))),
      ]),
    ]);
  });
  return when(pair.any(promising), perLane);
}

/** In place of a parameter, the same value in both lanes. */
function widened(local: number, parameter: number): Code {
  return set(local, pair.both(get(parameter)));
}

function locals(first: number, length: number): number[] {
  return Array.from({ length }, (_, i) => first + i);
}

function scanOne(): WasmFunction {
  const [histogram, last, startPacked, gradient, count, countRange, leastCount, lambda, need] = locals(0, 9);
  const [bin, position, needed, gain] = locals(9, 4);
  const [packed, held, totalGradient, totalCount, range, perCount, least, wideLambda] = locals(13, 8);
  const [left, leftCount, right, rightCount] = locals(21, 4);
  const sides = { left, leftHessian: leftCount, leftCount, right, rightHessian: rightCount, rightCount };
  return {
    name: 'scanOne',
    parameters: [i32, i32, f64, f64, f64, f64, f64, f64, i32],
    results: [i32],
    locals: [i32, i32, f64, f64, ...locals(13, 12).map(() => v128)],
    body: [
      widened(packed, startPacked),
      widened(totalGradient, gradient),
      widened(totalCount, count),
      widened(range, countRange),
      set(perCount, pair.both(double.divide(one, get(countRange)))),
      widened(least, leastCount),
      widened(wideLambda, lambda),
      set(needed, double.load(get(need))),
      set(position, integer(-1)),
      whileLoop(lessOrEqual(get(bin), get(last)), [
        runningSums(packed, pair.load(get(histogram)), held),
        set(left, pair.floor(pair.multiply(get(packed), get(perCount)))),
        set(leftCount, pair.subtract(get(packed), pair.multiply(get(left), get(range)))),
        set(right, pair.subtract(get(totalGradient), get(left))),
        set(rightCount, pair.subtract(get(totalCount), get(leftCount))),
        keepBetter(sides, { count: least, hessian: least }, wideLambda, { needed, position, bin, last, gain }),
        set(bin, add(get(bin), integer(2))),
        set(histogram, add(get(histogram), integer(16))),
      ]),
      double.store(get(need), get(needed)),
      get(position),
    ],
  };
}

function scanTwo(): WasmFunction {
  const [histogram, last, startGradient, startPacked, gradient, hessian, count, countRange] = locals(0, 8);
  const [leastCount, leastHessian, lambda, need] = locals(8, 4);
  const [bin, position, needed, gain] = locals(12, 4);
  const [packed, held, totalGradient, totalHessian, totalCount, range, perCount, least, leastWeight, wideLambda] =
    locals(16, 10);
  const [left, leftHessian, leftCount, right, rightHessian, rightCount] = locals(26, 6);
  const entries = (lane: 0 | 1) => pair.pick(pair.load(get(histogram)), pair.load(get(histogram), 16), lane, lane + 2);
  return {
    name: 'scanTwo',
    parameters: [i32, i32, f64, f64, f64, f64, f64, f64, f64, f64, f64, i32],
    results: [i32],
    locals: [i32, i32, f64, f64, ...locals(16, 16).map(() => v128)],
    body: [
      widened(left, startGradient),
      widened(packed, startPacked),
      widened(totalGradient, gradient),
      widened(totalHessian, hessian),
      widened(totalCount, count),
      widened(range, countRange),
      set(perCount, pair.both(double.divide(one, get(countRange)))),
      widened(least, leastCount),
      widened(leastWeight, leastHessian),
      widened(wideLambda, lambda),
      set(needed, double.load(get(need))),
      set(position, integer(-1)),
      whileLoop(lessOrEqual(get(bin), get(last)), [
        runningSums(left, entries(0), held),
        runningSums(packed, entries(1), held),
        set(leftHessian, pair.floor(pair.multiply(get(packed), get(perCount)))),
        set(leftCount, pair.subtract(get(packed), pair.multiply(get(leftHessian), get(range)))),
        set(right, pair.subtract(get(totalGradient), get(left))),
        set(rightHessian, pair.subtract(get(totalHessian), get(leftHessian))),
        set(rightCount, pair.subtract(get(totalCount), get(leftCount))),
        keepBetter(
          { left, leftHessian, leftCount, right, rightHessian, rightCount },
          { count: least, hessian: leastWeight },
          wideLambda,
          { needed, position, bin, last, gain },
        ),
        set(bin, add(get(bin), integer(2))),
        set(histogram, add(get(histogram), integer(32))),
      ]),
      double.store(get(need), get(needed)),
      get(position),
    ],
  };
}

/** From this many rows on it is quicker to go through all bins than to note which are touched. */
const manyRows = 150;

function scanRowsOne(): WasmFunction {
  const [column, order, orderEnd, values, scratch, marks, gradient, count, countRange, leastCount, lambda, need] =
    locals(0, 12);
  const [row, bin, entry, mark, bits, marksEnd, firstBin, position] = locals(12, 8);
  const [packed, perCount, needed, left, leftCount, right, rightCount, leftWeight, rightWeight, gain] = locals(20, 10);
  const step = (local: number, by: number) => set(local, add(get(local), integer(by)));
  const square = (local: number) => double.multiply(get(local), get(local));
  const exceeds = double.greater(
    double.add(double.multiply(square(left), get(rightWeight)), double.multiply(square(right), get(leftWeight))),
    double.multiply(get(needed), double.multiply(get(leftWeight), get(rightWeight))),
  );
  const addRow: Code = [
    set(row, load32(get(order))),
    set(bin, load8(add(get(column), get(row)))),
    set(entry, add(get(scratch), shiftLeft(get(bin), 3))),
    double.store(
      get(entry),
      double.add(double.load(get(entry)), double.load(add(get(values), shiftLeft(get(row), 3)))),
    ),
  ];
  return {
    name: 'scanRowsOne',
    parameters: [...locals(0, 6).map(() => i32), ...locals(6, 5).map(() => f64), i32],
    results: [i32],
    locals: [...locals(12, 8).map(() => i32), ...locals(20, 10).map(() => f64)],
    body: [
      set(perCount, double.divide(one, get(countRange))),
      set(needed, double.load(get(need))),
      set(position, integer(-2)),
      // add up per bin; few rows mark the bins they touch, many rows are taken to touch all
      when(less(integer(4 * manyRows), minus(get(orderEnd), get(order))), [
        whileLoop(less(get(order), get(orderEnd)), [addRow, step(order, 4)]),
        Array.from({ length: 8 }, (_, word) => store32(add(get(marks), integer(4 * word)), integer(-1))),
      ]),
      whileLoop(less(get(order), get(orderEnd)), [
        addRow,
        set(mark, add(get(marks), shiftLeft(shiftRight(get(bin), 5), 2))),
        store32(get(mark), or(load32(get(mark)), bitAt(get(bin)))),
        step(order, 4),
      ]),
      // go through the marked bins in order, clearing as we go
      set(marksEnd, add(get(marks), integer(32))),
      whileLoop(less(get(marks), get(marksEnd)), [
        set(bits, load32(get(marks))),
        store32(get(marks), integer(0)),
        whileLoop(get(bits), [
          set(bin, add(get(firstBin), lowestBit(get(bits)))),
          set(bits, and(get(bits), minus(get(bits), integer(1)))),
          set(entry, add(get(scratch), shiftLeft(get(bin), 3))),
          set(packed, double.add(get(packed), double.load(get(entry)))),
          double.store(get(entry), zero),
          set(left, double.floor(double.multiply(get(packed), get(perCount)))),
          set(leftCount, double.subtract(get(packed), double.multiply(get(left), get(countRange)))),
          set(rightCount, double.subtract(get(count), get(leftCount))),
          when(
            and(double.greater(get(rightCount), zero), equal(get(position), integer(-2))),
            set(position, integer(-1)),
          ),
          set(right, double.subtract(get(gradient), get(left))),
          set(leftWeight, double.add(get(leftCount), get(lambda))),
          set(rightWeight, double.add(get(rightCount), get(lambda))),
          when(
            and(
              and(
                double.greaterOrEqual(get(leftCount), get(leastCount)),
                double.greaterOrEqual(get(rightCount), get(leastCount)),
              ),
              exceeds,
            ),
            [
              set(
                gain,
                double.add(
                  double.divide(square(left), get(leftWeight)),
                  double.divide(square(right), get(rightWeight)),
                ),
              ),
              when(double.greater(get(gain), get(needed)), [set(needed, get(gain)), set(position, get(bin))]),
            ],
          ),
        ]),
        step(marks, 4),
        step(firstBin, 32),
      ]),
      double.store(get(need), get(needed)),
      get(position),
    ],
  };
}
