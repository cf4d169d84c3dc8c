/** The fields of a message for the page: as text, cut, and without the values that are to be hidden. */

/** One field. */
export interface ShownField {
  readonly name: string;
  /** `null`: hidden. Bytes that are no text are written as `\xff`. */
  readonly value: string | null;
  /** The size of the value. */
  readonly bytes: number;
  /** Whether only its beginning is here. */
  readonly isCut: boolean;
}

const LONGEST_VALUE = 4_000;
const LONGEST_NAME = 200;
const MOST_FIELDS = 100;

/**
 * @param fields names and values, alternating
 * @param mask lower-case names of fields to hide; `*` is every field
 */
export function showFields(fields: readonly Buffer[], mask: readonly string[]): readonly ShownField[] {
  const hidesAll = mask.includes("*");
  return Array.from({ length: Math.min(fields.length / 2, MOST_FIELDS) }, (_, at) => {
    const [nameBytes, bytes] = [fields[2 * at] as Buffer, fields[2 * at + 1] as Buffer];
    const name = textOfBytes(nameBytes, LONGEST_NAME);
    // The whole name: one that begins like a hidden one is another.
    const isHidden = hidesAll || mask.includes(nameBytes.toString().toLowerCase());
    return {
      name,
      value: isHidden ? null : textOfBytes(bytes, LONGEST_VALUE),
      bytes: bytes.length,
      isCut: !isHidden && bytes.length > LONGEST_VALUE,
    };
  });
}

/** Text if it is UTF-8, else each byte that is not ASCII as `\xff`. */
export function textOfBytes(bytes: Buffer, most: number): string {
  const head = bytes.subarray(0, most);
  const text = head.toString();
  // A character may have been cut in two at the end.
  if (!text.slice(0, -1).includes("\ufffd") && (bytes.length > most || !text.endsWith("\ufffd"))) {
    return text.replace(/\ufffd$/, "");
  }
  return head.toString("latin1").replaceAll(/[\x80-\xff]/g, (one) => `\\x${one.charCodeAt(0).toString(16)}`);
}
