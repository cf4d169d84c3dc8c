/**
 * Names of streams, groups and consumers are bytes in Redis, and text here. Bytes that are not UTF-8 are preserved: each
 * becomes half of a surrogate pair, `\udc80` to `\udcff`, which no UTF-8 text contains (as in Python's
 * `surrogateescape`). So different names are always different strings, and UTF-8 names are unchanged.
 */

// Halves of pairs only: with the flag a whole pair is one character.
const BYTE = /[\u{dc80}-\u{dcff}]/u;
const EACH_BYTE = new RegExp(BYTE, "gu");
const BYTES_BEGIN = 0xdc00;
const REPLACEMENT = "\ufffd";

/** The bytes of a name as text. UTF-8 is unchanged. */
export function nameOfBytes(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString();
  return text.includes(REPLACEMENT) && !isUtf8(buffer) ? keepBytes(buffer) : text;
}

function isUtf8(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString()).equals(bytes);
}

/** The bytes that a name has in Redis. */
export function bytesOfName(name: string): Buffer {
  const parts = name.split(new RegExp(`(${BYTE.source})`, "u"));
  // Every second part is a byte.
  return Buffer.concat(
    parts.map((part, at) => (at % 2 === 0 ? Buffer.from(part) : Buffer.of(part.charCodeAt(0) & 0xff))),
  );
}

/**
 * A name for people to read and type: bytes that are not UTF-8 as `\xff`, and backslashes doubled where they could be
 * taken for such a byte. Any other name is unchanged. {@link parseName} reads it back.
 */
export function showName(name: string): string {
  if (!BYTE.test(name) && !/\\(?:\\|x[0-9a-fA-F]{2})/.test(name)) return name;
  return showBytes(name.replaceAll("\\", "\\\\"));
}

/** Reads a name as it is shown: `\xff` is a byte and `\\` a backslash; any other backslash stands for itself. */
export function parseName(text: string): string {
  if (!text.includes("\\")) return text;
  const parts = text.split(/(\\\\|\\x[0-9a-fA-F]{2})/);
  const bytes = parts.map((part, at) => {
    if (at % 2 === 0) return bytesOfName(part);
    return part === "\\\\" ? Buffer.from("\\") : Buffer.from(part.slice(2), "hex");
  });
  return nameOfBytes(Buffer.concat(bytes));
}

/** Whether a text is valid as a name: there is exactly one way to write its bytes as text. */
export function isName(text: string): boolean {
  return text.isWellFormed() || nameOfBytes(bytesOfName(text)) === text;
}

/** Any text, with bytes that are not UTF-8 as `\xff`, and everything else unchanged. */
export function showBytes(text: string): string {
  return text.replace(EACH_BYTE, (byte) => `\\x${(byte.charCodeAt(0) - BYTES_BEGIN).toString(16)}`);
}

/** A name in quotes, for a sentence: as JSON writes it, except for bytes that are not UTF-8. */
export function quoteName(name: string): string {
  return JSON.stringify(name).replace(/\\\\|\\udc([89a-f][0-9a-f])/g, (written, byte: string | undefined) =>
    byte === undefined ? written : `\\x${byte}`,
  );
}

/** JSON for any program: bytes in names are written as they are shown, because many programs cannot read half of a surrogate pair. */
export function encodeShownJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_key, part: unknown) => (isOfBytes(part) ? showName(part) : part), indent);
}

function isOfBytes(part: unknown): part is string {
  return typeof part === "string" && BYTE.test(part);
}

/** Each byte that is not part of a UTF-8 character. */
function keepBytes(bytes: Buffer): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] ?? 0;
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    const character = bytes.subarray(at, at + length);
    if (character.length === length && isUtf8(character)) {
      text += character.toString();
      at += length;
    } else {
      text += String.fromCharCode(BYTES_BEGIN + first);
      at++;
    }
  }
  return text;
}
