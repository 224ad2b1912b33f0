/** A piece of page that is already escaped. Only this file makes one, so an unescaped string cannot reach a page. */
export type Markup = { readonly markup: string };

export type Child = Markup | string | number | false | undefined | readonly Child[];

/** `false` and `undefined` leave the attribute out. */
export type Attributes = { readonly [name: string]: string | number | false | undefined };

/** An attribute was about to be written as NaN or Infinity: the chart that made it has a defect. */
export class NonFiniteAttribute extends Error {
  override name = 'NonFiniteAttribute';
}

const voidElements = new Set(['meta', 'br', 'hr', 'col', 'path', 'rect', 'line', 'circle', 'polygon', 'use', 'stop']);

/** Attributes of which a text may hold numbers. */
const geometry = new Set(['d', 'transform', 'viewBox']);

/**
 * An element of HTML or SVG, written so that both an HTML and an XML parser read it. Strings are escaped wherever they
 * stand; numbers in attributes are rounded to 2 decimals.
 *
 * @throws NonFiniteAttribute where a number is NaN or infinite, naming element and attribute.
 */
export function el(name: string, attributes: Attributes = {}, ...children: Child[]): Markup {
  const opening = name + Object.entries(attributes).map(attribute(name)).join('');
  const content = inner(children);
  return { markup: content === '' && voidElements.has(name) ? `<${opening}/>` : `<${opening}>${content}</${name}>` };
}

/** Several pieces as one. */
export function fragment(...children: Child[]): Markup {
  return { markup: inner(children) };
}

/** A style sheet, which HTML does not unescape: it is checked instead to hold nothing that could end it. */
export function styleSheet(css: string): Markup {
  if (/[<&]/.test(css)) throw new Error('A style sheet of a report may not contain "<" or "&".');
  return { markup: `<style>${css}</style>` };
}

/** A number as SVG wants it: at most 2 decimals, no exponent, no minus zero. */
export function decimal(value: number): string {
  return String(Math.round(value * 100) / 100 + 0);
}

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text for markup. Control and direction-changing characters, which could hide what stands there, become U+FFFD. */
export function escape(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\u2028-\u202e\u2066-\u2069\ufffe\uffff]/gu, (character) =>
      /[\t\n]/.test(character) ? ' ' : '\ufffd',
    )
    .replace(/[&<>"']/g, (character) => escapes[character]);
}

function attribute(element: string): (entry: [string, string | number | false | undefined]) => string {
  return ([name, value]) => {
    if (value === undefined || value === false) return '';
    const missing =
      typeof value === 'number' ? !Number.isFinite(value) : geometry.has(name) && /NaN|Infinity/.test(value);
    if (missing)
      throw new NonFiniteAttribute(`<${element} ${name}> is "${value}": a chart let a missing number through.`);
    if (typeof value === 'string') return ` ${name}="${escape(value)}"`;
    return ` ${name}="${decimal(value)}"`;
  };
}

function inner(children: readonly Child[]): string {
  let content = '';
  for (const child of children) {
    if (child === false || child === undefined) continue;
    if (typeof child === 'string') content += escape(child);
    else if (typeof child === 'number') content += String(child);
    else if ('markup' in child) content += child.markup;
    else content += inner(child);
  }
  return content;
}
