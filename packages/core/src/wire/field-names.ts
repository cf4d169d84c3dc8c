/**
 * Names of fields as text. Messages of one stream mostly have the same names in the same positions, so the text is
 * created once, and then only its bytes are compared. The cache is bounded, and independent of any reply.
 */

const PLACES = 64;
const LONGEST_NAME_BYTES = 64;

interface KnownName {
  readonly bytes: Buffer;
  readonly text: string;
}

export class FieldNames {
  readonly #known: KnownName[] = [];

  /** The UTF-8 text of `bytes` from `start` to `end`, a name in this position of its entry. */
  textOf(place: number, bytes: Buffer, start: number, end: number): string {
    const known = this.#known[place];
    if (known !== undefined && isSame(known.bytes, bytes, start, end)) return known.text;
    const text = bytes.toString("utf8", start, end);
    if (place < PLACES && end - start <= LONGEST_NAME_BYTES) {
      // Not from Buffer's pool, which would be kept alive.
      const copy = Buffer.alloc(end - start);
      bytes.copy(copy, 0, start, end);
      this.#known[place] = { bytes: copy, text };
    }
    return text;
  }
}

function isSame(known: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let index = 0; index < known.length; index++) if (known[index] !== bytes[start + index]) return false;
  return true;
}
