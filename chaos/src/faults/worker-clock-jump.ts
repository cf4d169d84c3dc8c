import type { WorkerLine } from "../journal.ts";
import { type Fault, observedIf, SKIPPED } from "./fault.ts";

const NOTICE_MS = 15_000;
const TOLERANCE_MS = 1_000;

/** The machine's clock jumps, as the worker sees it. */
export const workerClockJump: Fault = {
  target: "worker",
  async strike(_scene, place, { jumpMs }) {
    const journal = place.follow();
    if (!place.tell(`clock ${jumpMs}`)) return SKIPPED;
    const line = await place.waitForLine(journal, hasJumped, NOTICE_MS);
    if (line === "ended") return SKIPPED;
    const isRight = line?.e === "clock" ? Math.abs(line.seenMs - jumpMs) < TOLERANCE_MS : line !== undefined;
    return observedIf(isRight, "the clock did not jump");
  },
};

/** One of an earlier version says it in words. */
function hasJumped(line: WorkerLine): boolean {
  return line.e === "clock" || (line.e === "note" && line.text.startsWith("clock jumps"));
}
