import { validate } from '../src/stages/validate.ts';
import { task } from './shared/task.ts';

export const handler = task('Validate', validate);
