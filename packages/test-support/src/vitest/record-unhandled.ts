import { setImmediate as nextTurn } from "node:timers/promises";
import { onTestFinished } from "vitest";

/**
 * Records, until the test has finished, the rejections that nobody handles: each would end a process.
 *
 * @returns what tells all that there have been, those of this moment too.
 */
export function recordUnhandled(): () => Promise<readonly unknown[]> {
  const reasons: unknown[] = [];
  const record = (reason: unknown) => void reasons.push(reason);
  process.on("unhandledRejection", record);
  onTestFinished(() => void process.off("unhandledRejection", record));
  return async () => {
    await nextTurn();
    return reasons;
  };
}
