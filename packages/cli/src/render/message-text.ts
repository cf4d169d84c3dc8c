/** A message for a person: its id and its fields, shortened. */
import { escapeText, truncateText } from "./escape.ts";
import type { Paint } from "./paint.ts";

const SHOWN_CHARACTERS = 500;

export function renderMessage(id: string, raw: readonly Buffer[], paint: Paint): string {
  const fields = Array.from({ length: raw.length / 2 }, (_, index) => {
    const [name, value] = [renderBytes(raw[2 * index] as Buffer), renderBytes(raw[2 * index + 1] as Buffer)];
    return `${paint("quiet", `${name}=`)}${value}`;
  });
  return `${paint("strong", escapeText(id))}  ${fields.join(" ")}\n`;
}

/** Text, quoted if it contains separators; if the value is cut or not text, also its size in bytes. */
export function renderBytes(bytes: Buffer): string {
  // Only the visible part is decoded; a character has at most four bytes.
  const head = bytes.subarray(0, 4 * SHOWN_CHARACTERS + 4);
  const text = head.toString();
  const cut = truncateText(text, SHOWN_CHARACTERS);
  const shown = escapeText(cut);
  const quoted = shown === "" || /[\s="]/.test(shown) ? `"${shown.replaceAll('"', '\\"')}"` : shown;
  return cut === text && head.length === bytes.length ? quoted : `${quoted}(${bytes.length} bytes)`;
}
