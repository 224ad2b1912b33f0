import { train } from '../src/stages/train.ts';
import { task } from './shared/task.ts';

export const handler = task('Train', train);
