import { showName } from "./names.ts";

/** A name as one word of a shell command, as the command line reads it: quoted if it has special characters. */
export function shellWord(name: string): string {
  const word = showName(name);
  return /^[\w@%+=:,./][\w@%+=:,./-]*$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
