import { expect, test } from 'vitest';
import { giveBackMemory } from '../../src/runtime/give-back.ts';

test('what nobody holds any more is given back, and what somebody holds stays', () => {
  const held = new Float64Array(4e6).fill(1);
  const before = process.memoryUsage().arrayBuffers;
  const lose = () => new Float64Array(32e6).fill(2)[5];
  lose();
  expect(process.memoryUsage().arrayBuffers).toBeGreaterThan(before + 200e6);
  giveBackMemory();
  expect(process.memoryUsage().arrayBuffers).toBeLessThan(before + 32e6);
  expect(held[3e6]).toBe(1);
});
