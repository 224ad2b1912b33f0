import { promote } from '../src/stages/promote.ts';
import { task } from './shared/task.ts';

export const handler = task('Promote', promote);
