import { features } from '../src/stages/features.ts';
import { task } from './shared/task.ts';

export const handler = task('Features', features);
