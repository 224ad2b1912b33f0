import { InvalidModel } from '../../trees/model.ts';

/** A table of a FlatBuffer: where it begins, and where each of its fields is. */
export type FlatTable = { at: number; fieldAt: (slot: number) => number };

/**
 * Reads FlatBuffers without trusting them: the reader of the `flatbuffers` package takes every offset as it comes and gives
 * `undefined` beyond the end, from which NaN would follow. Here whatever points outside the bytes throws InvalidModel.
 */
export function flatbuffer(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

  function checked(at: number, size: number): number {
    if (!(at >= 0 && at + size <= bytes.length)) {
      throw new InvalidModel('The .tflite file is damaged or truncated: it points beyond its end.');
    }
    return at;
  }
  const uint32 = (at: number) => view.getUint32(checked(at, 4), true);
  const indirect = (at: number) => at + uint32(at);

  function table(at: number): FlatTable {
    const vtable = at - view.getInt32(checked(at, 4), true);
    const size = view.getUint16(checked(vtable, 2), true);
    checked(vtable, size);
    const fieldAt = (slot: number) => {
      const entry = 4 + 2 * slot;
      const offset = entry + 2 <= size ? view.getUint16(vtable + entry, true) : 0;
      return offset === 0 ? 0 : at + offset;
    };
    return { at, fieldAt };
  }

  /** Where a vector's items begin and how many there are; nothing where the field is absent. */
  function vector({ fieldAt }: FlatTable, slot: number, itemSize: number): { at: number; length: number } {
    const field = fieldAt(slot);
    if (field === 0) return { at: 0, length: 0 };
    const at = indirect(field);
    const length = uint32(at);
    checked(at + 4, length * itemSize);
    return { at: at + 4, length };
  }

  const items = <T>(parent: FlatTable, slot: number, size: number, read: (at: number) => T): T[] => {
    const { at, length } = vector(parent, slot, size);
    return Array.from({ length }, (_, i) => read(at + i * size));
  };
  const scalar = (read: (at: number) => number, size: number) => (parent: FlatTable, slot: number, absent: number) => {
    const at = parent.fieldAt(slot);
    return at === 0 ? absent : read(checked(at, size));
  };

  function bytesOf(parent: FlatTable, slot: number): Uint8Array {
    const { at, length } = vector(parent, slot, 1);
    return bytes.slice(at, at + length);
  }

  return {
    root: () => table(indirect(0)),
    table: (parent: FlatTable, slot: number) => {
      const at = parent.fieldAt(slot);
      return at === 0 ? undefined : table(indirect(at));
    },
    tables: (parent: FlatTable, slot: number) => items(parent, slot, 4, (at) => table(indirect(at))),
    int32s: (parent: FlatTable, slot: number) => items(parent, slot, 4, (at) => view.getInt32(at, true)),
    float32s: (parent: FlatTable, slot: number) => items(parent, slot, 4, (at) => view.getFloat32(at, true)),
    int64s: (parent: FlatTable, slot: number) => items(parent, slot, 8, (at) => Number(view.getBigInt64(at, true))),
    bytes: bytesOf,
    text: (parent: FlatTable, slot: number) => new TextDecoder().decode(bytesOf(parent, slot)),
    int8: scalar((at) => view.getInt8(at), 1),
    uint8: scalar((at) => view.getUint8(at), 1),
    int32: scalar((at) => view.getInt32(at, true), 4),
    uint32: scalar(uint32, 4),
  };
}
