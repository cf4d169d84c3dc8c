/** What may happen to the database under the handlers. */
import { rmSync, writeFileSync } from "node:fs";
import type { Fault } from "./fault.ts";
import { lasting } from "./lasting.ts";

/** `readOnly`: every write fails · `full`: writes fail half-way through a batch, unless it is a message alone · `away`: it does not answer, then fails. */
export type SinkFault = "readOnly" | "full" | "away";

export const sinkReadOnly: Fault = outOfOrder("readOnly");
export const sinkFull: Fault = outOfOrder("full");
export const sinkAway: Fault = outOfOrder("away");

function outOfOrder(how: SinkFault): Fault {
  return {
    target: "sink",
    async strike({ sinkFault, over }, _place, { forMs }) {
      writeFileSync(sinkFault, how);
      await lasting(forMs, over);
      rmSync(sinkFault);
      return true;
    },
  };
}
