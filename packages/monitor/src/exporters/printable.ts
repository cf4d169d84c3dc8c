/** Makes text safe to print: names are untrusted, and a terminal obeys control characters. */

import { showBytes } from "@redis-batch/core/internal/names";

// Control and format characters (escape sequences, line ends, changes of direction), unusual separators, lone surrogates.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu;
const MARKS = /\p{M}/u;
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u;
const LONGEST = 120;

/** The text on one line: invisible characters are escaped, and long texts are cut. */
export function printable(text: string): string {
  const visible = showBytes(text.replaceAll("\\", "\\\\")).replaceAll(UNPRINTABLE, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
  const characters = Array.from(visible);
  return characters.length <= LONGEST ? visible : `${characters.slice(0, LONGEST - 1).join("")}…`;
}

/** The width of a printable text in terminal columns. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += MARKS.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return columns;
}
