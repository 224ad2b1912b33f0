import { tune } from '../src/stages/tune.ts';
import { task } from './shared/task.ts';

export const handler = task('Tune', tune);
