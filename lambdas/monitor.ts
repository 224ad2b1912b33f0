import { monitor } from '../src/stages/monitor.ts';
import { task } from './shared/task.ts';

export const handler = task('Monitor', monitor);
