/** An element of a page, as a strict parser sees it. */
export type Element = { name: string; attributes: Record<string, string>; children: (Element | string)[] };

const tag = /^<(\/?)([A-Za-z][\w:-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/;

/**
 * Reads markup the way an XML parser does, and throws where one would: unbalanced tags, attributes without quotes or given
 * twice, a stray "<" or "&".
 */
export function parseMarkup(markup: string): Element {
  const root: Element = { name: '#root', attributes: {}, children: [] };
  const open: Element[] = [root];
  let rest = markup.replace(/^<!doctype html>\s*/, '').trimEnd();
  while (rest !== '') {
    const top = open.at(-1)!;
    const found = tag.exec(rest);
    if (!found) {
      const end = rest.indexOf('<') === -1 ? rest.length : rest.indexOf('<');
      if (end === 0) throw new Error(`Not a tag: ${rest.slice(0, 80)}`);
      top.children.push(unescape(rest.slice(0, end)));
      rest = rest.slice(end);
      continue;
    }
    const [whole, closing, name, attributes, empty] = found;
    rest = rest.slice(whole.length);
    if (closing) {
      if (open.pop()!.name !== name) throw new Error(`</${name}> closes <${top.name}>`);
      continue;
    }
    const element: Element = { name, attributes: readAttributes(attributes), children: [] };
    top.children.push(element);
    if (!empty) open.push(element);
  }
  if (open.length !== 1) throw new Error(`<${open.at(-1)!.name}> is never closed`);
  const [document, ...others] = root.children.filter((child) => typeof child !== 'string');
  if (others.length > 0) throw new Error('More than one root element');
  return document;
}

/** The element and all below it, in reading order. */
export function elements(root: Element): Element[] {
  return [root, ...root.children.flatMap((child) => (typeof child === 'string' ? [] : elements(child)))];
}

export function textOf(root: Element): string {
  return root.children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('');
}

function readAttributes(source: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name, value] of source.matchAll(/([\w:-]+)="([^"]*)"/g)) {
    if (name in attributes) throw new Error(`Attribute ${name} is given twice`);
    attributes[name] = unescape(value);
  }
  return attributes;
}

function unescape(text: string): string {
  if (/&(?!(?:amp|lt|gt|quot|#39);)/.test(text)) throw new Error(`Stray "&" in: ${text.slice(0, 80)}`);
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}
