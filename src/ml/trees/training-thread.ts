/** The second thread of a training: grows trees beside the first until all is over. See second-thread.ts. */
import { workerData } from 'node:worker_threads';
import { roundsOn } from './rounds.ts';
import type { ThreadData, ThreadMessage } from './second-thread.ts';
import { treeMaker } from './tree-maker.ts';

const { job, memory, port } = workerData as ThreadData;
const rounds = roundsOn(memory, job.parameters.iterations, job.heads.length);
const tell = (message: ThreadMessage) => port.postMessage(message);

try {
  const make = treeMaker(job);
  while (!rounds.isEnded()) {
    const news = rounds.news();
    const turn = rounds.take();
    if (turn === null) {
      rounds.wait(news);
      continue;
    }
    const { tree, loss } = make(turn);
    // before it is counted as grown: whoever counts it then finds it
    tell({ turn, tree });
    rounds.finish(turn, tree.leaves, loss);
  }
} catch (error) {
  tell({ error });
  rounds.notify();
}
