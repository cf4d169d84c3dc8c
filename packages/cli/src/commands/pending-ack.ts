import type { Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import { planFirst } from "../plan.ts";
import type { ackOne } from "../table/inspect.ts";
import { changedHands, factsOf, findPending } from "./pending-one.ts";

export const run: Run<typeof ackOne> = (call) =>
  withClient(call, async (client) => {
    const { args, options, terminal } = call;
    const found = await findPending(client, args);
    const { stream, group, id } = found;
    const facts = factsOf(args, found);
    return planFirst(terminal, options, { facts }, async () => {
      if ((await client.xack({ stream, group, ids: [id] })) === 0) throw changedHands();
      return { facts };
    });
  });
