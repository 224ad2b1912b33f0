import { recommend } from '../src/stages/recommend.ts';
import { task } from './shared/task.ts';

export const handler = task('Recommend', recommend);
