import { govern } from '../src/stages/govern.ts';
import { task } from './shared/task.ts';

export const handler = task('Govern', govern);
