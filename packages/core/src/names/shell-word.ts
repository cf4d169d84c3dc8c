import { showBytes, showName } from "./names.ts";

/**
 * A name as one word of a shell command, as the command line reads it: quoted if it has special characters. Characters that would
 * control the terminal into which it is pasted are bytes, such as `\x1b`.
 */
export function shellWord(name: string): string {
  const word = /\p{Cc}/u.test(name) ? escapeControls(name) : showName(name);
  return /^[\w@%+=:,./][\w@%+=:,./-]*$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function escapeControls(name: string): string {
  const escaped = (control: string): string =>
    [...Buffer.from(control)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
  return showBytes(name.replaceAll("\\", "\\\\")).replaceAll(/\p{Cc}/gu, escaped);
}
