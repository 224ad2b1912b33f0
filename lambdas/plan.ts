import { plan } from '../src/stages/plan.ts';
import { task } from './shared/task.ts';

export const handler = task('Plan', plan);
