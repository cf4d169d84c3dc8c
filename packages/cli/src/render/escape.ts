/** Names and payloads are untrusted: characters that could control a terminal, or hide in it, are shown as escapes. */

// Control characters of both sets, the marks and overrides of bidirectional text, line separators that are no newline,
// characters that cannot be seen, tags, and halves of surrogate pairs.
const UNSAFE =
  // biome-ignore format: one range a piece
  /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

const LAST_ASCII = 0x7f;
// How names represent a byte that is not UTF-8. As in core, which is not loaded only for a help text.
const [FIRST_BYTE, LAST_BYTE] = [0xdc80, 0xdcff];
const BYTE = /[\u{dc80}-\u{dcff}]/u;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\u001b": "\\e" };

/** The text on one line, without control characters. Its own backslashes are doubled. */
export function escapeText(text: string): string {
  return text.replaceAll("\\", "\\\\").replace(UNSAFE, (character) => SHORT[character] ?? codeOf(character));
}

/** The same for our own messages, whose backslashes stay unchanged. */
export function escapeMessage(text: string): string {
  return text.replace(UNSAFE, (character) => (character === "\n" ? "\n" : (SHORT[character] ?? codeOf(character))));
}

/** JSON that is safe to print: the same value, with unsafe characters escaped by code, and bytes in names as you type them. */
export function encodeJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, (_key, part: unknown) => (isOfBytes(part) ? typedName(part) : part), indent);
  return json.replace(UNSAFE, (character) =>
    // JSON.stringify puts only its own newlines between tokens, and inside tokens it has escaped all of these.
    character === "\n" ? character : unitsOf(character),
  );
}

/** Cuts the text to at most `most` characters, and marks the cut. */
export function truncateText(text: string, most: number): string {
  const characters = Array.from(text);
  return characters.length <= most ? text : `${characters.slice(0, Math.max(most - 1, 0)).join("")}…`;
}

const isOfBytes = (part: unknown): part is string => typeof part === "string" && BYTE.test(part);

/** A name as you type it on the command line: bytes as `\xff`, and backslashes doubled where they could mean that. */
export function typedName(name: string): string {
  if (!isOfBytes(name) && !/\\(?:\\|x[0-9a-fA-F]{2})/.test(name)) return name;
  return name.replaceAll("\\", "\\\\").replaceAll(new RegExp(BYTE, "gu"), codeOf);
}

/** From `\x80` on these are bytes; a character is written by its code point. */
function codeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const byte = code >= FIRST_BYTE && code <= LAST_BYTE ? code - 0xdc00 : code;
  return code <= LAST_ASCII || byte !== code ? `\\x${byte.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}

function unitsOf(character: string): string {
  return Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`,
  ).join("");
}
