/** What may happen to the database under the handlers. */
import { rmSync, writeFileSync } from "node:fs";
import { type Fault, OBSERVED, observedIf } from "./fault.ts";
import { lasting } from "./lasting.ts";

/** `readOnly`: every write fails · `full`: writes fail half-way through a batch, unless it is a message alone · `away`: it does not answer, then fails. */
export type SinkFault = "readOnly" | "full" | "away";

export const sinkReadOnly: Fault = outOfOrder("readOnly");
export const sinkFull: Fault = outOfOrder("full");
export const sinkAway: Fault = outOfOrder("away");

function outOfOrder(how: SinkFault): Fault {
  return {
    target: "sink",
    async strike({ sinkFault, over, places }, _place, { forMs }) {
      const journals = places.map((place) => place.follow());
      writeFileSync(sinkFault, how);
      await lasting(forMs, over);
      rmSync(sinkFault);
      const lines = journals.flatMap((journal) => journal.read());
      if (lines.some((line) => line.e === "struck" && line.by === how)) return OBSERVED;
      // Those of earlier versions do not tell, a batch may have been there before, and a process may be broken by itself.
      const batches = lines.filter((line) => line.e === "offered" && line.call !== undefined).length;
      const elsewhere = lines.filter((line) => line.e === "struck").length;
      return observedIf(batches - elsewhere <= places.length, `no handler found its sink ${how}`);
    },
  };
}
