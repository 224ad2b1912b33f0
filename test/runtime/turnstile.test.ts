import { expect, test } from 'vitest';
import { Turnstile } from '../../src/runtime/turnstile.ts';

test('lets so many in at once, the others in the order of their coming, and goes on behind one that fails', async () => {
  const turnstile = new Turnstile(2);
  const [came, left]: string[][] = [[], []];
  const doors = new Map<string, { open: () => void; slam: (error: Error) => void }>();
  const visits = ['a', 'b', 'c', 'd', 'e'].map((name) =>
    turnstile
      .run(() => {
        came.push(name);
        return new Promise<void>((open, slam) => doors.set(name, { open, slam }));
      })
      .then(
        () => left.push(name),
        (error: Error) => left.push(`${name}: ${error.message}`),
      ),
  );
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  await settled();
  expect(came).toEqual(['a', 'b']);
  doors.get('b')!.slam(new Error('no power'));
  await settled();
  expect(came).toEqual(['a', 'b', 'c']);
  doors.get('a')!.open();
  doors.get('c')!.open();
  await settled();
  expect(came).toEqual(['a', 'b', 'c', 'd', 'e']);
  for (const name of ['d', 'e']) doors.get(name)!.open();
  await Promise.all(visits);
  expect(left).toEqual(['b: no power', 'a', 'c', 'd', 'e']);
});
