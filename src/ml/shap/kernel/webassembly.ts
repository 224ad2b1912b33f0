import {
  type Code,
  type WasmFunction,
  add,
  and,
  call,
  double,
  either,
  exclusiveOr,
  f64,
  four,
  get,
  i32,
  integer,
  less,
  load32,
  load8,
  lowestBit,
  multiply,
  or,
  pair,
  set,
  shiftRight,
  shiftRightBy,
  store32,
  store8,
  subtract,
  v128,
  when,
  whenElse,
  whileLoop,
} from '../../trees/kernel/assembler.ts';
import { blockRows, edgeBytes, groupBytes, leafBytes, pathBytes, quadratureBytes, stepBytes } from './program.ts';

/**
 * The SHAP values of some trees, as `treeShap` computes them: added to `values`, runs of `runBytes` for each row, which must be
 * zeros. `columns` are the features' columns of `rowsBytes` bytes each, one after the other; `patterns` and `tables` are room.
 */
export type ExplainArguments = [
  tree: number,
  treesEnd: number,
  columns: number,
  columnBytes: number,
  values: number,
  runBytes: number,
  patterns: number,
  tables: number,
];

/** The functions of the kernel; the layout of what they read stands in `program.ts`. */
export const explainFunctions = (): WasmFunction[] => [fillPattern(), explainBlock(), explainTrees()];
const [fillPlace, blockPlace] = [0, 1];

const step = (local: number, by: number): Code => set(local, add(get(local), integer(by)));

const types = (count: number, type: number): number[] => Array.from({ length: count }, () => type);

/** Consecutive locals from `first` on. */
const locals = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

/** Writes the Shapley values of all leaves of a group, for one pattern, to `phi`. */
function fillPattern(): WasmFunction {
  const [group, pattern, phi] = locals(0, 3);
  const [leaf, leavesEnd, cold, path, pathEnd, at, end, bits, rule, ruleEnd, hot] = locals(3, 11);
  const [scale, coldPhi, share] = locals(14, 3);
  const [t, rest, product, both] = locals(17, 4);
  const eachFeature = (body: Code): Code => [
    set(at, get(path)),
    set(bits, get(cold)),
    whileLoop(less(get(at), get(pathEnd)), [
      set(share, double.load(get(at))),
      body,
      set(bits, shiftRight(get(bits), 1)),
      step(at, pathBytes),
    ]),
  ];
  /** Goes through the bits that are set in the local, from the lowest on, with the place of the feature in `at`. */
  const eachBit = (local: number, body: Code): Code =>
    whileLoop(get(local), [
      set(at, add(get(path), multiply(lowestBit(get(local)), integer(pathBytes)))),
      body,
      set(local, and(get(local), subtract(get(local), integer(1)))),
    ]);
  const isCold = and(get(bits), integer(1));
  /** t + share * (1 − t) */
  const whenHot = pair.add(get(t), pair.multiply(pair.both(get(share)), get(rest)));
  const addToFeature = (...terms: Code[]): Code => [
    set(end, add(get(phi), load32(get(at), 8))),
    double.store(
      get(end),
      terms.reduce((sum, term) => double.add(sum, term), double.load(get(end))),
    ),
  ];

  return {
    name: 'fillPattern',
    parameters: types(3, i32),
    results: [],
    locals: [...types(11, i32), ...types(3, f64), ...types(4, v128)],
    body: [
      set(at, get(phi)),
      set(end, add(get(phi), load32(get(group), 20))),
      whileLoop(less(get(at), get(end)), [double.store(get(at), double.constant(0)), step(at, 8)]),

      set(leaf, load32(get(group), 24)),
      set(leavesEnd, load32(get(group), 28)),
      whileLoop(less(get(leaf), get(leavesEnd)), [
        // which features of the path the row leaves it on, above the group and in it
        set(cold, and(get(pattern), load32(get(group), 32))),
        set(at, load32(get(leaf), 16)),
        set(end, load32(get(leaf), 20)),
        whileLoop(less(get(at), get(end)), [
          set(bits, and(shiftRightBy(get(pattern), load32(get(at))), integer(1))),
          set(cold, or(get(cold), multiply(exclusiveOr(get(bits), load32(get(at), 4)), load32(get(at), 8)))),
          step(at, edgeBytes),
        ]),

        set(path, load32(get(leaf), 8)),
        set(pathEnd, load32(get(leaf), 12)),
        set(scale, double.load(get(leaf))),
        eachFeature(set(scale, double.multiply(get(scale), either(isCold, get(share), double.constant(1))))),
        when(double.differ(get(scale), double.constant(0)), [
          set(coldPhi, double.constant(0)),
          set(rule, load32(get(leaf), 24)),
          set(ruleEnd, load32(get(leaf), 28)),
          whileLoop(less(get(rule), get(ruleEnd)), [
            set(t, pair.load(get(rule))),
            set(rest, pair.subtract(pair.both(double.constant(1)), get(t))),
            set(product, pair.multiply(pair.load(get(rule), 16), pair.both(get(scale)))),
            eachFeature(set(product, pair.multiply(get(product), either(isCold, get(rest), whenHot)))),
            when(get(cold), [
              set(both, pair.divide(get(product), get(rest))),
              set(coldPhi, double.subtract(get(coldPhi), pair.lane(get(both), 0))),
              set(coldPhi, double.subtract(get(coldPhi), pair.lane(get(both), 1))),
            ]),
            set(hot, and(exclusiveOr(get(cold), integer(-1)), allBits())),
            eachBit(hot, [
              set(share, double.load(get(at))),
              set(both, pair.both(double.subtract(double.constant(1), get(share)))),
              set(both, pair.divide(pair.multiply(get(both), get(product)), whenHot)),
              addToFeature(pair.lane(get(both), 0), pair.lane(get(both), 1)),
            ]),
            step(rule, quadratureBytes),
          ]),
          eachBit(cold, addToFeature(get(coldPhi))),
        ]),
        step(leaf, leafBytes),
      ]),
    ],
  };

  /** A bit for each feature of the path; it has no more than 32. */
  function allBits(): Code {
    const features = shiftRight(subtract(get(pathEnd), get(path)), Math.log2(pathBytes));
    return shiftRightBy(integer(-1), subtract(integer(32), features));
  }
}

/**
 * Explains the rows of one block by one tree. A function of its own, because one that is compiled better while it runs is replaced
 * with its next call.
 */
function explainBlock(): WasmFunction {
  const [tree, columns, columnBytes, runs, runsEnd, runBytes, patterns, tables] = locals(0, 8);
  const [at, to, toEnd, record, recordsEnd, sets, isLeft, from, code] = locals(8, 9);
  const [run, pattern, known, phi, feature, featuresEnd, cell] = locals(17, 7);
  const [value, limit] = locals(24, 2);
  const [bound, flip, unit, missingLeft] = locals(26, 4);
  const values = [30, 31];

  /** Steps over the rows of the block, also those beyond the last row: what is read for them is never used. */
  const eachRow = (rows: number, body: Code): Code =>
    whileLoop(less(get(to), get(toEnd)), [body, step(at, 8 * rows), step(from, 4 * rows), step(to, 4 * rows)]);
  const missingOf = (local: number) => pair.and(pair.differ(get(local), get(local)), get(missingLeft));
  const leftOf = (local: number) => four.or(pair.lessOrEqual(get(local), get(bound)), missingOf(local));
  const decideNumber: Code = [
    set(bound, pair.both(double.load(get(record)))),
    set(missingLeft, four.all(load32(get(record), 28))),
    set(flip, four.all(load32(get(record), 20))),
    set(unit, four.all(load32(get(record), 24))),
    eachRow(4, [
      values.map((local, i) => set(local, pair.load(get(at), 16 * i))),
      four.store(
        get(to),
        four.or(
          four.load(get(from)),
          four.and(four.exclusiveOr(four.ofPairs(leftOf(values[0]), leftOf(values[1])), get(flip)), get(unit)),
        ),
      ),
    ]),
  ];
  const decideCategory: Code = [
    set(limit, double.load(get(record))),
    eachRow(1, [
      set(value, double.load(get(at))),
      set(isLeft, multiply(double.differ(get(value), get(value)), load32(get(record), 28))),
      // a code counts by its whole part; below zero or beyond the set it is not in it
      when(and(double.greaterOrEqual(get(value), double.constant(0)), double.greater(get(limit), get(value))), [
        set(code, double.truncated(get(value))),
        set(isLeft, load8(add(get(sets), shiftRight(get(code), 3)))),
        set(isLeft, subtract(integer(0), and(shiftRightBy(get(isLeft), and(get(code), integer(7))), integer(1)))),
      ]),
      set(isLeft, and(exclusiveOr(get(isLeft), load32(get(record), 20)), load32(get(record), 24))),
      store32(get(to), or(load32(get(from)), get(isLeft))),
    ]),
  ];

  const fill = call(fillPlace, [get(record), load32(get(pattern)), get(phi)]);
  const answer: Code = [
    set(phi, add(get(tables), load32(get(record), 16))),
    set(known, load32(get(record), 12)),
    whenElse(
      less(get(known), integer(-1)),
      [
        set(phi, add(get(phi), multiply(load32(get(pattern)), load32(get(record), 20)))),
        set(known, add(add(get(tables), get(known)), load32(get(pattern)))),
        when(equalsZero(load8(get(known))), [store8(get(known), integer(1)), fill]),
      ],
      fill,
    ),
  ];
  return {
    name: 'explainBlock',
    parameters: types(8, i32),
    results: [],
    locals: [...types(16, i32), ...types(2, f64), ...types(6, v128)],
    body: [
      // at the root nothing has been left yet
      set(to, get(patterns)),
      set(toEnd, add(get(patterns), integer(4 * blockRows))),
      whileLoop(less(get(to), get(toEnd)), [four.store(get(to), pair.zero), step(to, 16)]),

      set(record, load32(get(tree), 4)),
      set(recordsEnd, load32(get(tree), 8)),
      whileLoop(less(get(record), get(recordsEnd)), [
        set(at, add(get(columns), multiply(load32(get(record), 8), get(columnBytes)))),
        set(from, add(get(patterns), load32(get(record), 12))),
        set(to, add(get(patterns), load32(get(record), 16))),
        set(toEnd, add(get(to), integer(4 * blockRows))),
        set(sets, load32(get(record), 32)),
        whenElse(get(sets), decideCategory, decideNumber),
        step(record, stepBytes),
      ]),

      set(record, load32(get(tree), 8)),
      set(recordsEnd, load32(get(tree), 12)),
      whileLoop(less(get(record), get(recordsEnd)), [
        set(pattern, add(get(patterns), load32(get(record)))),
        set(run, get(runs)),
        whileLoop(less(get(run), get(runsEnd)), [
          answer,
          set(feature, load32(get(record), 4)),
          set(featuresEnd, load32(get(record), 8)),
          whileLoop(less(get(feature), get(featuresEnd)), [
            set(cell, add(get(run), load32(get(feature)))),
            double.store(get(cell), double.add(double.load(get(cell)), double.load(get(phi)))),
            step(phi, 8),
            step(feature, 4),
          ]),
          set(run, add(get(run), get(runBytes))),
          step(pattern, 4),
        ]),
        step(record, groupBytes),
      ]),

      set(value, double.load(get(tree), 24)),
      set(cell, add(get(runs), subtract(get(runBytes), integer(8)))),
      whileLoop(less(get(cell), get(runsEnd)), [
        double.store(get(cell), double.add(double.load(get(cell)), get(value))),
        set(cell, add(get(cell), get(runBytes))),
      ]),
    ],
  };
}

function explainTrees(): WasmFunction {
  const [tree, treesEnd, columns, columnBytes, values, runBytes, patterns, tables] = locals(0, 8);
  const [at, end, block, blockEnd, runs, runsEnd] = locals(8, 6);
  const blockOfColumns = add(get(columns), get(block));
  return {
    name: 'explainTrees',
    parameters: types(8, i32),
    results: [],
    locals: types(6, i32),
    body: whileLoop(less(get(tree), get(treesEnd)), [
      set(at, get(tables)),
      set(end, add(get(at), load32(get(tree), 16))),
      whileLoop(less(get(at), get(end)), [double.store(get(at), double.constant(0)), step(at, 8)]),

      set(block, integer(0)),
      set(runs, get(values)),
      whileLoop(less(get(block), get(columnBytes)), [
        set(blockEnd, add(get(block), integer(8 * blockRows))),
        when(less(get(columnBytes), get(blockEnd)), set(blockEnd, get(columnBytes))),
        set(runsEnd, add(get(runs), multiply(shiftRight(subtract(get(blockEnd), get(block)), 3), get(runBytes)))),
        call(blockPlace, [
          get(tree),
          blockOfColumns,
          ...[columnBytes, runs, runsEnd, runBytes, patterns, tables].map(get),
        ]),
        set(runs, get(runsEnd)),
        set(block, get(blockEnd)),
      ]),
      set(tree, load32(get(tree))),
    ]),
  };
}

const equalsZero = (value: Code): Code => [value, 0x45];
