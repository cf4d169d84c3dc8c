import { typedName } from "./escape.ts";

/** A name as one word of a shell command: quoted if it has special characters. */
export function shellWord(name: string): string {
  const word = typedName(name);
  return /^[\w@%+=:,./][\w@%+=:,./-]*$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
