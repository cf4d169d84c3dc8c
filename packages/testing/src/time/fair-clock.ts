import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** How often is looked at how many want the processors. */
const LOOK_MS = 25;

const clock = { atMs: 0, lookedAtMs: 0, share: 1 };
let looking: NodeJS.Timeout | undefined;

/**
 * A clock for bounds on how long something may take. On a machine that has its processors free it is the wall clock;
 * where twenty processes want two processors it goes at a tenth of its pace, since so does what is waited for. A bound
 * measured by it is as strict as ever on a quiet machine, and does not fail for what other processes do on a busy one.
 *
 * For upper bounds only: what must not happen too early is measured by `performance.now()`.
 */
export function fairNowMs(): number {
  if (looking === undefined) {
    clock.lookedAtMs = performance.now();
    clock.share = shareOfProcessors();
    looking = setInterval(goOn, LOOK_MS).unref();
  }
  return clock.atMs + (performance.now() - clock.lookedAtMs) * clock.share;
}

/** Calls back when so much fair time has passed; yields what calls it off. */
export function afterFairMs(ms: number, callback: () => void): () => void {
  const dueAtMs = fairNowMs() + ms;
  // Never before so much time has passed on the wall clock: fair time is no faster.
  let timer = setTimeout(look, ms);
  function look(): void {
    const leftMs = dueAtMs - fairNowMs();
    if (leftMs <= 0) callback();
    else timer = setTimeout(look, Math.ceil(leftMs));
  }
  return () => clearTimeout(timer);
}

function goOn(): void {
  const nowMs = performance.now();
  clock.atMs += (nowMs - clock.lookedAtMs) * clock.share;
  clock.lookedAtMs = nowMs;
  clock.share = shareOfProcessors();
}

/** What one of those that want to run gets of a processor, this process among them. */
function shareOfProcessors(): number {
  return Math.min(1, availableParallelism() / Math.max(runnable(), 1));
}

/** How many want to run at this moment, which only Linux tells without a long look. */
function runnable(): number {
  try {
    return Number(/ (\d+)\/\d+ /.exec(readFileSync("/proc/loadavg", "utf8"))?.[1] ?? 1);
  } catch {
    return 1;
  }
}
