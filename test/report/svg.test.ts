import { describe, expect, test } from 'vitest';
import { NonFiniteAttribute, decimal, el, escape, fragment, styleSheet } from '../../src/report/svg.ts';

describe('elements', () => {
  test('attributes and children are escaped, and so are their children', () => {
    const inner = el('b', { title: `a "b" <c> & 'd'` }, '<i>', 2);
    expect(el('p', {}, inner, ' & ', false, undefined, ['x', ['y']]).markup).toBe(
      '<p><b title="a &quot;b&quot; &lt;c&gt; &amp; &#39;d&#39;">&lt;i&gt;2</b> &amp; xy</p>',
    );
  });

  test('false and undefined leave an attribute out, zero does not', () => {
    expect(el('rect', { x: 0, y: undefined, class: false }).markup).toBe('<rect x="0"/>');
  });

  test('only elements that may close themselves do', () => {
    expect(fragment(el('td'), el('path', { d: 'M0 0' })).markup).toBe('<td></td><path d="M0 0"/>');
  });

  test('a number that is none is refused with the name of its place', () => {
    expect(() => el('rect', { width: NaN })).toThrow(NonFiniteAttribute);
    expect(() => el('rect', { width: 1 / 0 })).toThrow('<rect width> is "Infinity"');
    expect(() => el('path', { d: 'M0 NaN' })).toThrow('<path d>');
  });

  test('a name may be called NaN', () => {
    expect(el('p', { title: 'NaN' }, 'Infinity').markup).toBe('<p title="NaN">Infinity</p>');
  });
});

test('numbers are written short, without exponent and minus zero', () => {
  expect([1 / 3, -0.001, 1e-7, 12, 1234.5678].map(decimal)).toEqual(['0.33', '0', '0', '12', '1234.57']);
});

test('control characters, line separators, direction marks and half characters become a visible sign', () => {
  expect(escape('a\u0000b\u0007c\u202ed\u2028e\ud800f')).toBe('a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf');
  expect(escape('one\ttwo\nthree')).toBe('one two three');
});

test('a style sheet cannot end itself', () => {
  expect(() => styleSheet('a{}</style><script>')).toThrow('style sheet');
});
