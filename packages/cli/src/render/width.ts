/** The width of a text in terminal columns. */

const COMBINING = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const WIDE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6\p{Emoji_Presentation}]$/u;

/** Columns of a text without control characters. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += COMBINING.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

/** Cuts to at most `most` columns, and marks the cut. */
export function fitWidth(text: string, most: number): string {
  if (displayWidth(text) <= most) return text;
  let [kept, width] = ["", 0];
  for (const character of text) {
    width += displayWidth(character);
    if (width > most - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Cuts a text with colours: they are kept, and take no columns. */
export function clipWidth(painted: string, most: number): string {
  let [kept, width] = ["", 0];
  for (const [piece] of painted.matchAll(/\p{Cc}\[\d+m|./gsu)) {
    const isColour = piece.length > 1 && piece.endsWith("m");
    if (!isColour) width += displayWidth(piece);
    if (isColour || width <= most) kept += piece;
  }
  return kept;
}

export function padWidth(text: string, width: number, align: "left" | "right"): string {
  const gap = " ".repeat(Math.max(width - displayWidth(text), 0));
  return align === "left" ? text + gap : gap + text;
}
