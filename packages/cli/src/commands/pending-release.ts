import { LATER, RELEASED } from "@redis-batch/core/internal/names";
import type { Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import { NOTHING_TO_DO, planFirst } from "../plan.ts";
import type { releaseOne } from "../table/inspect.ts";
import { changedHands, factsOf, findPending, refuseHeld } from "./pending-one.ts";

export const run: Run<typeof releaseOne> = (call) =>
  withClient(call, async (client) => {
    const { args, options, terminal } = call;
    const found = await findPending(client, args);
    const { stream, group, id } = found;
    const facts = factsOf(args, found);
    const from = found.message.consumer;
    const nothing = from === RELEASED ? `It is released already. ${NOTHING_TO_DO}` : undefined;
    return planFirst(terminal, options, { facts, nothing, blocked: refuseHeld(found, options.take) }, async () => {
      const { moved } = await client.release({ stream, group, from, to: RELEASED, offered: [id], neverOffered: [] });
      if (moved === 0) throw changedHands();
      // Last, as its own consumers do it: if this ends before, the time only finds nothing.
      if (from === LATER && found.dueMs !== null) {
        await client.forgetDue({ stream, group, due: [{ id, atMs: found.dueMs }] });
      }
      return { facts };
    });
  });
