/** What may happen to one worker's connections, by way of its proxy. */
import { setTimeout as pause } from "node:timers/promises";
import { journalNowMs } from "../journal.ts";
import type { Place } from "../place.ts";
import { type Effect, type Fault, OBSERVED, observedIf, SKIPPED } from "./fault.ts";
import { lasting } from "./lasting.ts";
import { pingMs } from "./probe.ts";

const LATENCY_MS = 150;
/** How long a worker may take to notice that its connections are reset; it may be frozen just then. */
const NOTICE_MS = 15_000;
/** A connection that is silent for this long is dead, not slow. */
const SILENCE_MS = 50;

/** Every open connection is reset. */
export const connectionReset: Fault = {
  target: "connection",
  async strike(_scene, place) {
    if (place.proxy.connections === 0) return SKIPPED;
    return noticed(place, () => place.proxy.reset());
  },
};

/** A reply is cut off in the middle, or lost whole: the server has done what it was asked to. */
export const replyCut: Fault = cut("reply");

/** A request is cut off in the middle. */
export const requestCut: Fault = cut("request");

/** The line is slow and comes in pieces. */
export const connectionStall: Fault = {
  target: "connection",
  async strike({ over, slowed }, place, { forMs }) {
    const fromMs = journalNowMs();
    place.proxy.set({ latencyMs: LATENCY_MS, jitterMs: 200, sliceBytes: 300 });
    const [tookMs] = await Promise.all([pingMs(place.proxy.address, NOTICE_MS), lasting(forMs, over)]);
    place.proxy.heal();
    slowed(fromMs, journalNowMs(), place);
    // No answer at all: a fault of the server has come on top.
    return observedIf(tookMs === undefined || tookMs >= LATENCY_MS, "the line was not slow");
  },
};

/** Connections stay open and nothing passes. */
export const halfOpen: Fault = {
  target: "connection",
  async strike({ over, away }, place, { forMs }) {
    const fromMs = journalNowMs();
    place.proxy.set({ blackhole: true });
    const [tookMs] = await Promise.all([
      pingMs(place.proxy.address, Math.max(SILENCE_MS, forMs / 2)),
      lasting(forMs, over),
    ]);
    place.proxy.heal();
    away(fromMs, journalNowMs(), "half-open", place);
    return observedIf(tookMs === undefined, "something passed");
  },
};

/** The connections break, and for a while there are no new ones. */
export const refused: Fault = {
  target: "connection",
  async strike({ over, away }, place, { forMs }) {
    const fromMs = journalNowMs();
    place.proxy.set({ refuse: true });
    place.proxy.reset();
    const [tookMs] = await Promise.all([
      pingMs(place.proxy.address, Math.max(SILENCE_MS, forMs / 2)),
      lasting(forMs, over),
    ]);
    place.proxy.heal();
    away(fromMs, journalNowMs(), "refused", place);
    return observedIf(tookMs === undefined, "there was a new connection");
  },
};

function cut(direction: "request" | "reply"): Fault {
  return {
    target: "connection",
    async strike({ over }, place, { afterBytes }) {
      const isOver = new Promise<"over">((resolve) => over.addEventListener("abort", () => resolve("over")));
      const isCut = noticed(place, () => place.proxy.cut(direction, afterBytes));
      const end = await Promise.race([isCut, isOver]);
      place.proxy.heal();
      return end === "over" ? SKIPPED : end;
    },
  };
}

/** Breaks a connection, and waits until the worker has noticed. */
async function noticed(place: Place, breakIt: () => Promise<void> | void): Promise<Effect> {
  const journal = place.follow();
  const processes = place.incarnations.length;
  await breakIt();
  // It has met the successor of the process that was watched.
  if (place.incarnations.length > processes) return SKIPPED;
  const line = await place.waitForLine(journal, ({ e }) => e === "away", NOTICE_MS);
  if (line === "ended") return SKIPPED;
  if (line !== undefined) return OBSERVED;
  // One that could not connect at all, or whose process is stopped, has nothing to notice.
  await pause(SILENCE_MS);
  return place.proxy.connections === 0 ? SKIPPED : observedIf(false, "the worker did not notice");
}
