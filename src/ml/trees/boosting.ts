import type { Json } from '../../data/json.ts';
import type { Matrix } from '../matrix.ts';
import { type BinnedMatrix, binMatrix, binRows } from './binning.ts';
import type { KernelChoice } from './kernel/operations.ts';
import { type Loss, lossOf } from './loss.ts';
import type { Tree, TreeModel } from './model.ts';
import {
  type Boosting,
  type BoostingParameters,
  InvalidParameter,
  boostingParameters,
  completeParameters,
} from './parameters.ts';
import { type Figures, type Turn, roundsMemory, roundsOn } from './rounds.ts';
import { inSharedMemory, startSecondThread } from './second-thread.ts';
import { checkMonotone, checkTrainingData, describeModel } from './training-data.ts';
import { type BoostingJob, treeMaker } from './tree-maker.ts';

export type BoostingOptions = {
  /** One per row, ≥ 0. */
  weight?: Float64Array;
  /** One per row, added to the score on the link scale: the log of the exposure for Poisson, Gamma and Tweedie. */
  offset?: Float64Array;
  /** What early stopping watches; never trained on. */
  validation?: { data: Matrix; target: Float64Array; weight?: Float64Array; offset?: Float64Array };
  /** Of `data` and `validation`, by `trainingBins` with the same parameters: for several trainings on the same rows. @default - made here */
  bins?: TrainingBins;
  /** The levels behind the codes of each categorical column, kept in the model file. */
  categories?: readonly (readonly Json[])[];
  /** @default 'webassembly', where it is to be had; the trees are the same. */
  kernel?: KernelChoice;
  /**
   * The file of training-thread.ts, or what it was bundled into: with it a second thread grows the trees of several outputs beside
   * this one, where that is worth its start. The trees are the same. @default - one thread
   */
  secondThread?: URL;
  /** Called after each iteration, with the validation loss when there is a validation set. */
  onIteration?: (iteration: number, validationLoss: number | null) => void;
};

/**
 * Gradient boosting of histogram trees (Friedman, "Greedy function approximation", 2001; second order and regularised as Chen and
 * Guestrin, "XGBoost", 2016; leaf-wise over binned features as Ke et al., "LightGBM", 2017).
 *
 * `target` holds rows × outputs, row-major; several outputs share one binning and get one tree each per iteration.
 * Equal data, parameters and seed give an equal model. Throws InvalidParameter and InvalidTrainingData.
 */
export function trainBoosting(
  data: Matrix,
  target: Float64Array,
  parameters: BoostingParameters = {},
  options: BoostingOptions = {},
): TreeModel {
  const complete = completeParameters(boostingParameters, parameters);
  const outputs = checkTrainingData('training', data, target, options.weight, options.offset);
  checkMonotone(complete.monotoneConstraints, data);
  const loss = lossOf(complete);
  loss.check(target);
  if (outputs > 1 && loss.hasLink) {
    throw new InvalidParameter(`Objective ${complete.objective} takes one output, the target has ${outputs} per row.`);
  }
  checkValidation(options.validation, data, outputs, complete);

  const bins = options.bins ?? binned(data, options.validation?.data, complete);
  const isWorthIt = outputs > 1 && bins.trained.byColumn.length * outputs >= fewestShared;
  const secondThread = isWorthIt ? options.secondThread : undefined;
  const job = jobOf(bins, target, outputs, loss, complete, options);
  const trees = growRounds(secondThread ? inSharedMemory(job) : job, secondThread, options.onIteration);
  return describeModel(data, bins.trained, options, modelHead(loss, outputs, complete), trees);
}

/** The rows that are trained on, and of those that are watched the `byColumn`, as bin numbers. */
export type TrainingBins = { trained: BinnedMatrix; watched: Uint8Array | null };

/** Bins what is trained on and what is watched, once for several trainings. Throws InvalidParameter and InvalidTrainingData. */
export function trainingBins(data: Matrix, watched: Matrix | undefined, parameters: BoostingParameters): TrainingBins {
  return binned(data, watched, completeParameters(boostingParameters, parameters));
}

function binned(data: Matrix, watched: Matrix | undefined, parameters: Boosting): TrainingBins {
  const trained = binMatrix(data, parameters);
  return { trained, watched: watched === undefined ? null : binRows(trained, watched) };
}

/** Rows × slots × outputs, the work of a round, from which a second thread is worth its start. */
const fewestShared = 4e6;

/** Where all outputs begin. */
function jobOf(
  { trained: binned, watched }: TrainingBins,
  target: Float64Array,
  outputs: number,
  loss: Loss,
  parameters: Boosting,
  { kernel, weight, offset, validation }: BoostingOptions,
): BoostingJob {
  const scores = (rows: number, initial: number, offsets: Float64Array | undefined) =>
    Float64Array.from({ length: rows }, (_, row) => initial + (offsets?.[row] ?? 0));
  const every = Array.from({ length: outputs }, (_, output) => output);
  return {
    parameters,
    kernel,
    binned,
    weight: weight ?? null,
    heads: every.map((output) => {
      const own = columnOf(target, outputs, output);
      const initial = loss.initialScore(own, weight ?? null, offset ?? null);
      return { target: own, initial, score: scores(binned.rows, initial, offset) };
    }),
    watched:
      validation === undefined || watched === null
        ? null
        : {
            byColumn: watched,
            weight: validation.weight ?? null,
            heads: every.map((output) => ({
              target: columnOf(validation.target, outputs, output),
              score: scores(validation.data.rows, 0, validation.offset),
            })),
          },
  };
}

/** The trees that are kept: of every round as many as there are outputs. */
function growRounds(
  job: BoostingJob,
  secondThread: URL | undefined,
  onIteration: BoostingOptions['onIteration'],
): Tree[] {
  const { iterations, earlyStoppingRounds } = job.parameters;
  const outputs = job.heads.length;
  const memory = roundsMemory(iterations, outputs);
  const rounds = roundsOn(memory, iterations, outputs);
  const make = treeMaker(job);
  const second = secondThread === undefined ? null : startSecondThread(secondThread, job, memory);
  const trees: Tree[] = [];
  const keep = (tree: Tree, { round, output }: Turn) => void (trees[round * outputs + output] = tree);

  let best = { rounds: 0, loss: Infinity };
  let kept = 0;
  try {
    while (kept < iterations) {
      const { leaves, losses } = finish(kept);
      const isStuck = leaves.every((count) => count === 1);
      if (isStuck && kept > 0) break;
      kept++;
      const loss = job.watched === null ? null : losses.reduce((sum, of) => sum + of, 0) / outputs;
      onIteration?.(kept - 1, loss);
      if (loss !== null && earlyStoppingRounds > 0) {
        if (loss < best.loss) best = { rounds: kept, loss };
        else if (kept - best.rounds >= earlyStoppingRounds) break;
      }
      if (isStuck) break;
    }
  } finally {
    rounds.end();
    second?.stop();
  }
  return trees.slice(0, (best.rounds || kept) * outputs);

  /** Takes turns until all trees of a round are there. */
  function finish(round: number): Figures {
    for (;;) {
      const news = rounds.news();
      const figures = rounds.figures(round);
      second?.collect(keep);
      if (figures !== null) return figures;
      const turn = rounds.take();
      if (turn === null) rounds.wait(news);
      else {
        const { tree, loss } = make(turn);
        keep(tree, turn);
        rounds.finish(turn, tree.leaves, loss);
      }
    }
  }
}

function modelHead(loss: Loss, outputs: number, parameters: Boosting) {
  // LightGBM has no objective for several regression outputs; `custom` keeps the raw scores as they are
  const objective = outputs === 1 ? loss.name : 'custom';
  return { objective, outputs, averaged: false, parameters: { boosting: 'gbdt', ...parameters } };
}

/** Throws InvalidParameter and InvalidTrainingData unless there is something to watch where it is asked for, and it fits. */
function checkValidation(
  validation: BoostingOptions['validation'],
  training: Matrix,
  outputs: number,
  { earlyStoppingRounds }: Boosting,
): void {
  if (validation === undefined) {
    if (earlyStoppingRounds > 0) {
      throw new InvalidParameter('earlyStoppingRounds needs a validation set; give options.validation.');
    }
    return;
  }
  const { data, target, weight, offset } = validation;
  const validationOutputs = checkTrainingData('validation', data, target, weight, offset);
  if (validationOutputs !== outputs || data.columns !== training.columns) {
    throw new InvalidParameter(
      `The validation set has ${data.columns} columns and ${validationOutputs} outputs, the training set ${training.columns} and ${outputs}.`,
    );
  }
}

function columnOf(target: Float64Array, outputs: number, output: number): Float64Array {
  return outputs === 1
    ? target
    : Float64Array.from({ length: target.length / outputs }, (_, i) => target[i * outputs + output]);
}
