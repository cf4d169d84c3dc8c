import { bytesOfName } from "@redis-batch/core/internal";

/** A word of a command as redis-cli reads it: what is not plain stands in quotes. */
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
