/** What may happen to the handlers of one worker's process. */
import type { HandlerFault } from "../journal.ts";
import type { Place } from "../place.ts";
import { type Effect, type Fault, observedIf, SKIPPED } from "./fault.ts";

/** How long it may take until the handler gets a batch. */
const BATCH_MS = 15_000;

/** The handler's next batch never ends, and nobody kills the process for that. */
export const handlerHang: Fault = {
  target: "worker",
  strike: (_scene, place) => (place.mustLast ? Promise.resolve(SKIPPED) : tellHandler(place, "hang", "hang")),
};

/** In one process everything fails, whatever it is: its disk is full. The others are well. */
export const brokenProcess: Fault = {
  target: "worker",
  strike: (_scene, place, { forMs }) => tellHandler(place, `broken ${3 * forMs}`, "broken"),
};

async function tellHandler(place: Place, order: string, by: HandlerFault): Promise<Effect> {
  // One of an earlier version does not know the order.
  const journal = place.follow();
  if (place.isOld || !place.tell(order)) return SKIPPED;
  let offered = 0;
  const line = await place.waitForLine(
    journal,
    (written) => {
      if (written.e === "offered") offered++;
      return written.e === "struck" && written.by === by;
    },
    BATCH_MS,
  );
  if (line === "ended") return SKIPPED;
  // The first batch after it may have been there before the order came.
  if (line === undefined && offered <= 1) return SKIPPED;
  return observedIf(line !== undefined, `no handler reacted to the fault: ${by}`);
}
