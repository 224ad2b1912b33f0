import { publish } from '../src/stages/publish.ts';
import { task } from './shared/task.ts';

export const handler = task('Publish', publish);
