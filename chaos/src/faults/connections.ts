/** What may happen to one worker's connections, by way of its proxy. */
import { setTimeout as pause } from "node:timers/promises";
import { journalNowMs } from "../journal.ts";
import type { Place } from "../place.ts";
import type { PlannedFault } from "../plan.ts";
import type { Link } from "../topology/link.ts";
import { type Effect, type Fault, OBSERVED, observedIf, type Scene, SKIPPED } from "./fault.ts";
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
    if (place.link.connections === 0) return SKIPPED;
    return noticed(place, () => place.link.reset());
  },
};

/** A reply is cut off in the middle, or lost whole: the server has done what it was asked to. */
export const replyCut: Fault = cut("reply");

/** A request is cut off in the middle. */
export const requestCut: Fault = cut("request");

/** The line is slow and comes in pieces. */
export const connectionStall: Fault = {
  target: "connection",
  async strike({ server, over, slowed }, place, { forMs }) {
    const fromMs = journalNowMs();
    place.link.set({ latencyMs: LATENCY_MS, jitterMs: 200, sliceBytes: 300 });
    const [tookMs] = await Promise.all([pingMs(place.link.to(server).address, NOTICE_MS), lasting(forMs, over)]);
    place.link.heal();
    slowed(fromMs, journalNowMs(), place);
    // No answer at all: a fault of the server has come on top.
    return observedIf(tookMs === undefined || tookMs >= LATENCY_MS, "the line was not slow");
  },
};

/** Connections stay open and nothing passes. */
export const halfOpen: Fault = outOfReach("half-open", () => true, everyLine);

/** The connections break, and for a while there are no new ones. */
export const refused: Fault = outOfReach("refused", () => false, everyLine);

/** The network is cut between one worker and the master of its stream; all other servers can be reached. */
export const masterCutOff: Fault = outOfReach(
  "cut off from the master",
  ({ keepsName }) => keepsName,
  ({ server }, { link }) => link.to(server),
);

function everyLine(_scene: Scene, { link }: Place): Link {
  return link;
}

/** @param isSilent whether connections stay open, and nothing passes; otherwise they break, and there are no new ones */
function outOfReach(
  why: string,
  isSilent: (planned: PlannedFault) => boolean,
  lines: (scene: Scene, place: Place) => Pick<Link, "set" | "reset" | "heal">,
): Fault {
  return {
    target: "connection",
    async strike(scene, place, planned) {
      const { server, over, away } = scene;
      const { forMs } = planned;
      const fromMs = journalNowMs();
      const line = lines(scene, place);
      if (isSilent(planned)) line.set({ blackhole: true });
      else {
        line.set({ refuse: true });
        line.reset();
      }
      const [tookMs] = await Promise.all([
        pingMs(place.link.to(server).address, Math.max(SILENCE_MS, forMs / 2)),
        lasting(forMs, over),
      ]);
      line.heal();
      away(fromMs, journalNowMs(), why, place);
      return observedIf(tookMs === undefined, "something passed");
    },
  };
}

function cut(direction: "request" | "reply"): Fault {
  return {
    target: "connection",
    async strike({ server, over }, place, { afterBytes }) {
      const line = place.link.to(server);
      const isOver = new Promise<"over">((resolve) => over.addEventListener("abort", () => resolve("over")));
      const isCut = noticed(place, () => line.cut(direction, afterBytes));
      const end = await Promise.race([isCut, isOver]);
      line.heal();
      return end === "over" ? SKIPPED : end;
    },
  };
}

/** Breaks a connection, and waits until the worker has noticed. */
async function noticed(place: Place, breakIt: () => Promise<void> | void): Promise<Effect> {
  const journal = place.follow();
  const processes = place.incarnations.length;
  await breakIt();
  const { accepted } = place.link;
  // It has met the successor of the process that was watched.
  if (place.incarnations.length > processes) return SKIPPED;
  const line = await place.waitForLine(
    journal,
    // In a Cluster the loss of one node's connection is not always announced; a new one is opened.
    ({ e }) => e === "away" || (place.link.way.kind === "cluster" && place.link.accepted > accepted),
    NOTICE_MS,
  );
  if (line === "ended") return SKIPPED;
  if (line !== undefined) return OBSERVED;
  // One that could not connect at all, or whose process is stopped, has nothing to notice.
  await pause(SILENCE_MS);
  return place.link.connections === 0 ? SKIPPED : observedIf(false, "the worker did not notice");
}
