/** Names and payloads are somebody else's: what could steer a terminal, or hide in it, is shown instead of sent. */

// Control characters of both sets, the marks and overrides of bidirectional text, line separators that are no newline,
// characters that cannot be seen, tags, and halves of surrogate pairs.
const UNSAFE =
  // biome-ignore format: one range a piece
  /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

const LAST_ASCII = 0x7f;
// How a byte of a name that is not UTF-8 stands in its text; as in core, which is not loaded for a mere help.
const [FIRST_BYTE, LAST_BYTE] = [0xdc80, 0xdcff];
const BYTE = /[\u{dc80}-\u{dcff}]/u;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\u001b": "\\e" };

/** The text on one line, with nothing in it that a terminal acts upon. A backslash of its own is doubled. */
export function escapeText(text: string): string {
  return text.replaceAll("\\", "\\\\").replace(UNSAFE, (character) => SHORT[character] ?? codeOf(character));
}

/** The same for messages of our own, whose backslashes stay as they are. */
export function escapeMessage(text: string): string {
  return text.replace(UNSAFE, (character) => (character === "\n" ? "\n" : (SHORT[character] ?? codeOf(character))));
}

/** JSON that is safe to print: the same value, with unsafe characters escaped by their code, and names that are bytes as you type them. */
export function encodeJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, (_key, part: unknown) => (isOfBytes(part) ? typedName(part) : part), indent);
  return json.replace(UNSAFE, (character) =>
    // Between the tokens JSON.stringify puts nothing but its own newlines, and within them it has escaped all of these.
    character === "\n" ? character : unitsOf(character),
  );
}

/** At most so many characters, with a sign that there were more. */
export function truncateText(text: string, most: number): string {
  const characters = Array.from(text);
  return characters.length <= most ? text : `${characters.slice(0, Math.max(most - 1, 0)).join("")}…`;
}

const isOfBytes = (part: unknown): part is string => typeof part === "string" && BYTE.test(part);

/** A name as it is typed on the command line: bytes as `\xff`, and backslashes doubled where they could mean that. */
export function typedName(name: string): string {
  if (!isOfBytes(name) && !/\\(?:\\|x[0-9a-fA-F]{2})/.test(name)) return name;
  return name.replaceAll("\\", "\\\\").replaceAll(new RegExp(BYTE, "gu"), codeOf);
}

/** From `\x80` on these are bytes that are no character; a character is written by its number. */
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
