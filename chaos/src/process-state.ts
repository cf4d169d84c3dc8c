import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

const LOOK_EVERY_MS = 10;
/** On a busy machine a signal takes its time. */
const SIGNAL_MS = 2_000;

/** Whether a process that was sent SIGSTOP stops, or is gone; also `true` where the system does not tell. */
export async function hasStopped(pid: number): Promise<boolean> {
  for (let leftMs = SIGNAL_MS; leftMs > 0; leftMs -= LOOK_EVERY_MS) {
    if (isStopped(pid) !== false) return true;
    await pause(LOOK_EVERY_MS);
  }
  return false;
}

/** Whether it is stopped; `undefined` where the system does not tell, or it is gone. */
function isStopped(pid: number): boolean | undefined {
  try {
    // The state follows the program's name, which is in parentheses and may itself hold any character.
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.[0] === "T";
  } catch {
    return undefined;
  }
}
