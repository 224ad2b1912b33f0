/** One tree that is to be grown: of this output, in this round. */
export type Turn = { round: number; output: number };

/** What is known of a round's trees, one entry per output. */
export type Figures = { leaves: number[]; losses: number[] };

/**
 * What the threads of one training agree on, in shared memory: who grows which tree, and what was found. Turns are given out in
 * order, all outputs of a round and then the next round. An output's next tree needs its last one, so a thread may be ahead of
 * another by less than a round, and one that is late, or never starts, holds nobody up: the others take the turns.
 *
 * Whoever takes a turn, the tree is the same; so the model does not depend on how many threads there are.
 */
export type Rounds = {
  /** Takes the next turn; null while its output waits for another thread, and when there are no more. */
  take: () => Turn | null;
  /** The tree of a turn is grown, has so many leaves, and its output now has this loss on what is watched (NaN without). */
  finish: (turn: Turn, leaves: number, loss: number) => void;
  /** The figures of a round; null until all its trees are grown. */
  figures: (round: number) => Figures | null;
  /** Nobody takes a turn any more. */
  end: () => void;
  isEnded: () => boolean;
  /** Wakes whoever waits. */
  notify: () => void;
  /** A number that changes with every `finish`, `end` and `notify`. */
  news: () => number;
  /** Sleeps until `news` is another one than this. */
  wait: (news: number) => void;
};

const nextTurn = 0;
const newsCount = 1;
const ended = 2;
const flags = 3;

/** Memory for so many rounds, to be given to every thread. */
export function roundsMemory(rounds: number, outputs: number): SharedArrayBuffer {
  return new SharedArrayBuffer(rounds * outputs * (8 + 4) + (flags + outputs) * 4);
}

/** One thread's view of such memory. */
export function roundsOn(memory: SharedArrayBuffer, rounds: number, outputs: number): Rounds {
  const turns = rounds * outputs;
  const lossOf = new Float64Array(memory, 0, turns);
  const leavesOf = new Int32Array(memory, 8 * turns, turns);
  const state = new Int32Array(memory, 12 * turns, flags);
  /** How many trees each output has. */
  const grown = new Int32Array(memory, 12 * turns + 4 * flags, outputs);

  function notify(): void {
    Atomics.add(state, newsCount, 1);
    Atomics.notify(state, newsCount);
  }

  return {
    take() {
      for (;;) {
        const turn = Atomics.load(state, nextTurn);
        if (turn === turns || Atomics.load(state, ended) === 1) return null;
        const [round, output] = [Math.floor(turn / outputs), turn % outputs];
        if (Atomics.load(grown, output) < round) return null;
        if (Atomics.compareExchange(state, nextTurn, turn, turn + 1) === turn) return { round, output };
      }
    },
    finish({ round, output }, leaves, loss) {
      leavesOf[round * outputs + output] = leaves;
      lossOf[round * outputs + output] = loss;
      Atomics.store(grown, output, round + 1);
      notify();
    },
    figures(round) {
      for (let output = 0; output < outputs; output++) if (Atomics.load(grown, output) <= round) return null;
      const [first, end] = [round * outputs, (round + 1) * outputs];
      return { leaves: [...leavesOf.subarray(first, end)], losses: [...lossOf.subarray(first, end)] };
    },
    end() {
      Atomics.store(state, ended, 1);
      notify();
    },
    isEnded: () => Atomics.load(state, ended) === 1,
    notify,
    news: () => Atomics.load(state, newsCount),
    wait: (news) => void Atomics.wait(state, newsCount, news),
  };
}
