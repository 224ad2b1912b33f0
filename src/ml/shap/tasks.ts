import { type Matrix, column, takeRows } from '../matrix.ts';
import type { KernelChoice } from '../trees/kernel/operations.ts';
import { type KernelFunction, type StartThread, withThreads } from '../trees/kernel/kernel-thread.ts';
import { instantiateGrowing, lazyModule } from '../trees/kernel/module.ts';
import { isComparable } from '../trees/kernel/scoring.ts';
import type { TreeModel } from '../trees/model.ts';
import { averageOver } from './explanation.ts';
import { type ShapProgram, blockRows, writeProgram } from './kernel/program.ts';
import { explainInTypescript } from './kernel/typescript.ts';
import { type ExplainArguments, explainFunctions } from './kernel/webassembly.ts';

/** A model of one output, and the rows of a matrix to explain it for, in their order. */
export type ShapTask = {
  model: TreeModel;
  matrix: Matrix;
  /** @default - every row */
  rows?: Int32Array;
};

export type ExplainOptions = {
  /** With 2, a second thread explains every other task; it needs WebAssembly, and the values are the same. @default 1 */
  threads?: 1 | 2;
  /** @default 'webassembly', where it is to be had and there are rows enough; the values are the same to the last bit. */
  kernel?: KernelChoice;
};

/** For less, setting the kernel or another thread up takes longer than it saves. Rows × trees. */
const fewestForKernel = 2_000;
const fewestForThread = 100_000;

/** The kernel's addresses have 32 bits, and half of them are plenty. */
const mostBytes = 2 ** 31;

/**
 * Explains every task. `take` is given the SHAP values of each, as `treeShap` lays them out, which are overwritten by those of the
 * next; in which order the tasks are done is not said.
 */
export function explainTasks(
  tasks: readonly ShapTask[],
  take: (values: Float64Array, task: number) => void,
  { threads = 1, kernel = 'webassembly' }: ExplainOptions = {},
): void {
  const sizes = tasks.map((task) => task.model.trees.length * rowsOf(task));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (kernel === 'typescript' || total < fewestForKernel)
    return tasks.forEach((task, i) => take(inTypescript(task), i));
  const inTwo = threads === 2 && tasks.length > 1 && total >= fewestForThread;
  withThreads(inTwo ? 2 : 1, (start) => {
    const room = explainingRoom(start);
    if (room === null) return tasks.forEach((task, i) => take(inTypescript(task), i));
    // two of about the same size at a time, so that neither thread waits long for the other
    const order = [...tasks.keys()].sort((a, b) => sizes[b] - sizes[a]);
    const together = start === null ? 1 : 2;
    for (let i = 0; i < order.length; i += together) {
      const places = order.slice(i, i + together);
      room(places.map((place) => tasks[place])).forEach((values, k) => {
        const place = places[k];
        if (values === null) return take(inTypescript(tasks[place]), place);
        averageOver(tasks[place].model, values);
        take(values, place);
      });
    }
  });
}

const rowsOf = ({ matrix, rows }: ShapTask): number => rows?.length ?? matrix.rows;

function inTypescript({ model, matrix, rows }: ShapTask): Float64Array {
  const asked = rows === undefined ? matrix : takeRows(matrix, rows);
  const values = new Float64Array(asked.rows * (asked.columns + 1));
  explainInTypescript(model.trees, asked, values);
  averageOver(model, values);
  return values;
}

/** Explains one or two tasks at a time; null for those that the kernel cannot take. */
type ExplainingRoom = (tasks: readonly ShapTask[]) => (Float64Array | null)[];

const compiled = lazyModule(explainFunctions);
const compiledToShare = lazyModule(explainFunctions, 'shared memory');

/** Null without WebAssembly. */
function explainingRoom(start: StartThread | null): ExplainingRoom | null {
  const instance = instantiateGrowing(start === null ? compiled : compiledToShare, 0, mostBytes);
  if (instance === null) return null;
  const { explainTrees } = instance.exports as { explainTrees: KernelFunction<ExplainArguments> };
  const second = start?.(instance.shared, 'explainTrees', explainTrees) ?? null;
  return (tasks) => {
    let end = 0;
    const placed = tasks.map((task) => {
      const { trees } = task.model;
      const program = trees.every(isComparable) ? writeProgram(trees, rowsOf(task), end) : null;
      if (program === null) return null;
      const areas = areasOf(program, task, end);
      end = areas.end;
      return { task, program, areas };
    });
    const memory = instance.reach(end);
    if (memory === null) return tasks.map(() => null);

    const views = placed.map((one) => {
      if (one === null) return null;
      const { task, program, areas } = one;
      new Uint8Array(memory).set(program.bytes, areas.program);
      copyColumns(task, new Float64Array(memory, areas.columns, rowsOf(task) * task.matrix.columns));
      return new Float64Array(memory, areas.values, rowsOf(task) * (task.matrix.columns + 1)).fill(0);
    });
    const [mine, theirs] = placed.flatMap((one) => (one === null ? [] : [argumentsOf(one)]));
    if (mine && theirs && second) second.callBoth(mine, theirs);
    else for (const all of [mine, theirs]) if (all) explainTrees(...all);
    return views;
  };
}

function copyColumns({ matrix, rows }: ShapTask, to: Float64Array): void {
  if (rows === undefined) return to.set(matrix.values);
  for (let c = 0, at = 0; c < matrix.columns; c++) {
    const from = column(matrix, c);
    for (let i = 0; i < rows.length; i++) to[at++] = from[rows[i]];
  }
}

type Areas = { program: number; columns: number; values: number; patterns: number; tables: number; end: number };

/** Where everything of a task lies, from an address that is a multiple of 16 on. */
function areasOf({ bytes, patternBytes, tableBytes }: ShapProgram, task: ShapTask, program: number): Areas {
  const after = (address: number, length: number) => Math.ceil((address + length) / 16) * 16;
  const rows = rowsOf(task);
  const { columns: count } = task.matrix;
  const columns = after(program, bytes.length);
  // the last block is read as if it were full
  const values = after(columns, 8 * (rows * count + blockRows));
  const patterns = after(values, 8 * rows * (count + 1));
  const tables = after(patterns, patternBytes);
  return { program, columns, values, patterns, tables, end: after(tables, tableBytes) };
}

function argumentsOf({ task, program, areas }: { task: ShapTask; program: ShapProgram; areas: Areas }) {
  const programEnd = areas.program + program.bytes.length;
  const runBytes = 8 * (task.matrix.columns + 1);
  const { columns, values, patterns, tables } = areas;
  const all = [program.firstTree, programEnd, columns, 8 * rowsOf(task), values, runBytes, patterns, tables];
  return all as readonly number[] as ExplainArguments;
}
