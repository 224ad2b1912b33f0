/** What both sides of the kill test know: the bytes of the n-th file of a writer, and the object that it replaces. */
export type Pointer = { n: number; text: string; sha256: string };

/** 200 kB, other ones for each file. */
export function fileBytes(name: string, n: number): Uint8Array {
  return new TextEncoder().encode(`${name} ${n} `.repeat(200_000).slice(0, 200_000));
}
