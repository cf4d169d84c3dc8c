import { bytesOfName } from "./names.ts";

/** A word of a command for redis-cli: quoted if it has special characters. */
export function quoteWord(word: string): string {
  if (/^[^\s"'\\\p{C}]+$/u.test(word)) return word;
  const inner = Array.from(word, (character) =>
    character === '"' || character === "\\"
      ? `\\${character}`
      : /\p{C}/u.test(character)
        ? [...bytesOfName(character)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")
        : character,
  );
  return `"${inner.join("")}"`;
}
