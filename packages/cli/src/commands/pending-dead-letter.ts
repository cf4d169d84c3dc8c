import { LATER } from "@redis-batch/core/internal/names";
import type { Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import { planFirst } from "../plan.ts";
import type { deadLetterOne } from "../table/inspect.ts";
import { whoAmI } from "../who-am-i.ts";
import { changedHands, factsOf, findPending, refuseHeld } from "./pending-one.ts";

export const run: Run<typeof deadLetterOne> = (call) =>
  withClient(call, async (client) => {
    const { args, options, terminal } = call;
    const found = await findPending(client, args);
    const { stream, group, id } = found;
    const facts = factsOf(args, found);
    const { consumer } = found.message;
    const error = options.reason ?? `moved by ${whoAmI()}`;
    return planFirst(terminal, options, { facts, blocked: refuseHeld(found, options.take) }, async () => {
      const end = await client.moveToDeadLetters({ stream, group, consumer, id, reason: "rejected", error });
      if (end.kind === "not-owned") throw changedHands();
      if (end.kind === "trimmed") {
        throw new Failure(
          "missing",
          "its entry is no longer in the stream: it was taken off the list of pending messages",
        );
      }
      if (consumer === LATER && found.dueMs !== null) {
        await client.forgetDue({ stream, group, due: [{ id, atMs: found.dueMs }] });
      }
      return { facts: [...facts, { key: "deadLetter", title: "dead letter", value: end.deadId }] };
    });
  });
