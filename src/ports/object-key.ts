import { UnsafeKey } from './errors.ts';

/**
 * Throws `UnsafeKey` unless `key` is one that means the same on every backend: names joined by single slashes, each of
 * letters, digits, marks, spaces and !$%&'()+,-.:;=@_~#, not starting with a dot, not ending with a space or a dot; at
 * most 1,024 bytes of UTF-8 (S3's limit), each name at most 255 (a file system's). So no `..`, no backslash, no NUL, no
 * absolute path, no hidden file; nor `*`, `?` and brackets, which SQL engines expand in file names. A key is taken as it is:
 * percent signs are not decoded.
 */
export function checkKey(key: string): void {
  if (key === '') throw new UnsafeKey(key, 'it is empty');
  if (!key.isWellFormed()) throw new UnsafeKey(key, 'it is not well-formed Unicode');
  if (Buffer.byteLength(key) > 1024) throw new UnsafeKey(key, 'it is longer than 1,024 bytes');
  for (const name of key.split('/')) checkName(key, name);
}

/**
 * A listing's prefix: empty, or the beginning of a key. Its last name may be cut anywhere, so only the names before it
 * are held to the whole grammar.
 */
export function checkPrefix(prefix: string): void {
  const end = prefix.lastIndexOf('/');
  if (end >= 0) checkKey(prefix.slice(0, end));
  const rest = prefix.slice(end + 1);
  if (rest !== '' && !letters.test(rest)) throw new UnsafeKey(prefix, 'it has a character that no key has');
  if (rest.startsWith('.')) throw new UnsafeKey(prefix, 'a name starts with a dot');
}

const letters = /^[\p{L}\p{N}\p{M} !$%&'()+,\-.:;=@_~#]+$/u;

function checkName(key: string, name: string): void {
  if (name === '') throw new UnsafeKey(key, 'a name is empty (a slash at its start, at its end, or doubled)');
  if (name.startsWith('.')) throw new UnsafeKey(key, 'a name starts with a dot');
  if (name.endsWith('.') || name.endsWith(' ')) throw new UnsafeKey(key, 'a name ends with a dot or a space');
  if (!letters.test(name)) throw new UnsafeKey(key, 'a name has a character outside the allowed ones');
  if (Buffer.byteLength(name) > 255) throw new UnsafeKey(key, 'a name is longer than 255 bytes');
}

/** Ascending UTF-8 order, the order of every listing; it differs from JavaScript's own beyond U+FFFF. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
