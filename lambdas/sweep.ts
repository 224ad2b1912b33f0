import { sweep } from '../src/stages/sweep.ts';
import { task } from './shared/task.ts';

export const handler = task('Sweep', sweep);
