import { score } from '../src/stages/score.ts';
import { task } from './shared/task.ts';

export const handler = task('Score', score);
