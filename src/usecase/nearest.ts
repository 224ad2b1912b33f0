export { nearest } from '../data/nearest.ts';
