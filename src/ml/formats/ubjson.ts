import type { Json } from '../../data/json.ts';
import { InvalidModel } from '../trees/model.ts';

/**
 * Reads Universal Binary JSON, draft 12 (ubjson.org), with the typed containers that XGBoost writes, and its lone 'F', 'T' and 'N'.
 * Numbers are big-endian; 64-bit integers must lie within a double. Throws InvalidModel, with the byte, when the bytes are damaged or
 * cut off.
 */
export function readUbjson(bytes: Uint8Array): Json {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  let at = 0;
  const value = read(marker());
  if (at !== bytes.length) throw damaged(`${bytes.length - at} bytes follow the document`);
  return value;

  function damaged(problem: string): InvalidModel {
    return new InvalidModel(`The UBJSON is damaged at byte ${at}: ${problem}.`);
  }

  function take(length: number): number {
    if (at + length > bytes.length) throw damaged('it is cut off');
    at += length;
    return at - length;
  }

  function marker(): string {
    return String.fromCharCode(bytes[take(1)]);
  }

  function read(type: string): Json {
    switch (type) {
      case 'Z':
        return null;
      case 'T':
        return true;
      case 'F':
        return false;
      case 'i':
        return view.getInt8(take(1));
      case 'U':
        return view.getUint8(take(1));
      case 'I':
        return view.getInt16(take(2));
      case 'l':
        return view.getInt32(take(4));
      case 'L':
        return Number(view.getBigInt64(take(8)));
      case 'd':
        return view.getFloat32(take(4));
      case 'D':
        return view.getFloat64(take(8));
      case 'C':
        return marker();
      case 'S':
        return text();
      case '[':
        return array();
      case '{':
        return object();
      default:
        throw damaged(`"${type}" is not a type`);
    }
  }

  function length(type = marker()): number {
    const count = 'iUIlL'.includes(type) ? read(type) : NaN;
    if (typeof count !== 'number' || !(count >= 0)) throw damaged('a length is not a whole number');
    return count;
  }

  function text(): string {
    const size = length();
    const start = take(size);
    try {
      return utf8.decode(bytes.subarray(start, start + size));
    } catch {
      throw damaged('a string is not UTF-8');
    }
  }

  /** The optional type and count at the head of a container: `$type#count`, `#count` or neither. */
  function head(): { type: string | null; count: number | null } {
    let type: string | null = null;
    if (bytes[at] === 0x24) {
      at++;
      type = marker();
      if (bytes[at] !== 0x23) throw damaged('a container with a type has no count');
    }
    if (bytes[at] !== 0x23) return { type, count: null };
    at++;
    return { type, count: length() };
  }

  function array(): Json[] {
    const { type, count } = head();
    const items: Json[] = [];
    if (count !== null) {
      for (let i = 0; i < count; i++) items.push(read(type ?? marker()));
      return items;
    }
    for (let next = marker(); next !== ']'; next = marker()) items.push(read(next));
    return items;
  }

  function object(): { [key: string]: Json } {
    const { type, count } = head();
    const entries: [string, Json][] = [];
    if (count !== null) {
      for (let i = 0; i < count; i++) entries.push([text(), read(type ?? marker())]);
    } else {
      while (bytes[at] !== 0x7d) entries.push([text(), read(marker())]);
      at++;
    }
    return Object.fromEntries(entries);
  }
}
