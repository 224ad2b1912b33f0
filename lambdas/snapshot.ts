import { snapshot } from '../src/stages/snapshot.ts';
import { task } from './shared/task.ts';

export const handler = task('Snapshot', snapshot);
