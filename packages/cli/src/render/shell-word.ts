import { typedName } from "./escape.ts";

/** A name as a word of a command as a shell reads it: what is not plain stands in quotes. */
export function shellWord(name: string): string {
  const word = typedName(name);
  return /^[\w@%+=:,./][\w@%+=:,./-]*$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
