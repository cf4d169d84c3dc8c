/** What may happen to one worker's connections, by way of its proxy. */
import { journalNowMs } from "../journal.ts";
import type { Fault } from "./fault.ts";
import { lasting } from "./lasting.ts";

/** Every open connection is reset. */
export const connectionReset: Fault = {
  target: "connection",
  strike(_scene, { proxy }) {
    const isConnected = proxy.connections > 0;
    proxy.reset();
    return Promise.resolve(isConnected);
  },
};

/** A reply is cut off in the middle, or lost whole: the server has done what it was asked to. */
export const replyCut: Fault = cut("reply");

/** A request is cut off in the middle. */
export const requestCut: Fault = cut("request");

/** The line is slow and comes in pieces. */
export const connectionStall: Fault = {
  target: "connection",
  async strike({ over }, { proxy }, { forMs }) {
    proxy.set({ latencyMs: 150, jitterMs: 200, sliceBytes: 300 });
    await lasting(forMs, over);
    proxy.heal();
    return true;
  },
};

/** Connections stay open and nothing passes. */
export const halfOpen: Fault = {
  target: "connection",
  async strike({ over, away }, place, { forMs }) {
    const fromMs = journalNowMs();
    place.proxy.set({ blackhole: true });
    await lasting(forMs, over);
    place.proxy.heal();
    away(fromMs, journalNowMs(), "half-open", place);
    return true;
  },
};

/** The connections break, and for a while there are no new ones. */
export const refused: Fault = {
  target: "connection",
  async strike({ over, away }, place, { forMs }) {
    const fromMs = journalNowMs();
    place.proxy.set({ refuse: true });
    place.proxy.reset();
    await lasting(forMs, over);
    place.proxy.heal();
    away(fromMs, journalNowMs(), "refused", place);
    return true;
  },
};

function cut(direction: "request" | "reply"): Fault {
  return {
    target: "connection",
    async strike({ over }, { proxy }, { afterBytes }) {
      const isOver = new Promise<false>((resolve) => over.addEventListener("abort", () => resolve(false)));
      const isCut = await Promise.race([proxy.cut(direction, afterBytes).then(() => true), isOver]);
      proxy.heal();
      return isCut;
    },
  };
}
