import { readFileSync } from "node:fs";

/** Whether a process still runs; one that ended and waits to be collected by its parent (a zombie) does not. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (cause) {
    // Another user's process may not be signalled, but it exists.
    return cause instanceof Error && "code" in cause && cause.code === "EPERM";
  }
  try {
    // The state follows the program's name, which is in parentheses and may contain any character.
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.[0] !== "Z";
  } catch {
    return true;
  }
}
