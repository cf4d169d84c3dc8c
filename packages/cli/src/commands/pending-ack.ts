import type { Run } from "../command.ts";
import { withStream } from "../connection/open.ts";
import { planFirst } from "../plan.ts";
import type { ackOne } from "../table/inspect.ts";
import { changedHands, factsOf, findPending } from "./pending-one.ts";

export const run: Run<typeof ackOne> = (call) =>
  withStream(call, async (client) => {
    const { args, options, terminal } = call;
    const { stream, group, id } = args;
    const facts = factsOf(args, await findPending(client, args));
    return planFirst(terminal, options, { facts }, async () => {
      if ((await client.xack({ stream, group, ids: [id] })) === 0) throw changedHands();
      return { facts };
    });
  });
