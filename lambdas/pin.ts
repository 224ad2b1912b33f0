import { pin } from '../src/stages/pin.ts';
import { task } from './shared/task.ts';

export const handler = task('Pin', pin);
