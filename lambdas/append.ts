import { append } from '../src/stages/append.ts';
import { task } from './shared/task.ts';

export const handler = task('Append', append);
