import { report } from '../src/stages/report.ts';
import { task } from './shared/task.ts';

export const handler = task('Report', report);
