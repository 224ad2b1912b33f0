import { evaluate } from '../src/stages/evaluate.ts';
import { task } from './shared/task.ts';

export const handler = task('Evaluate', evaluate);
