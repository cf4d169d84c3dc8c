import { type HandOverRefusal, isReservedConsumer, pendingPages, RELEASED } from "@redis-batch/core/internal";
import type { Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import { planFirst } from "../plan.ts";
import type { reassign } from "../table/group.ts";
import { findGroup } from "./find-group.ts";

const MOVED_AT_ONCE = 250;

const REFUSALS: Readonly<Record<HandOverRefusal, readonly [string, string]>> = {
  "owner-alive": ["its owner is alive", "stop it first: it would work on the messages as well"],
  "target-unknown": [
    "the target is not a consumer of Redis Batch",
    "`redis-batch consumers` lists them; --to-unregistered allows it",
  ],
  "target-silent": ["the target is not alive", "`redis-batch consumers` says who is"],
};

export const run: Run<typeof reassign> = (call) =>
  withClient(call, async (client) => {
    const { args, options, terminal, signal } = call;
    const { stream, group } = args;
    const { from, to = RELEASED } = options;
    if (from === undefined)
      throw new Failure("usage", "--from names the consumer that has the messages; it is missing");
    if (from === to) {
      throw new Failure(
        "usage",
        to === RELEASED ? "these messages are released already" : "--from and --to are the same consumer",
      );
    }
    if (isReservedConsumer(to) && to !== RELEASED) {
      throw new Failure("usage", `"${to}" is no consumer`, "leave --to out: then any consumer of the group takes them");
    }
    await findGroup(client, stream, group);
    const names = (await client.xinfoConsumers({ stream, group })).map(({ name }) => name);
    for (const name of [from, to]) {
      // The name that holds what is released need not be there before.
      if (names.includes(name) || name === RELEASED) continue;
      throw new Failure("missing", `the group has no consumer "${name}"`, `\`redis-batch consumers\` lists them`);
    }
    const owned = (await client.xpendingSummary({ stream, group })).consumers.get(from) ?? 0;
    const facts = [
      { key: "stream", value: stream },
      { key: "group", value: group },
      { key: "from", value: from },
      { key: "to", value: to },
    ] as const;
    const plan = { facts: [...facts, { key: "pending", value: owned, unit: "count" }] as const, isEmpty: owned === 0 };
    return planFirst(terminal, options, plan, async () => {
      let moved = 0;
      for await (const page of pendingPages(client, { stream, group, consumer: from, pageSize: MOVED_AT_ONCE })) {
        const end = await client.handOver({
          ...{ stream, group, from, to, ids: page.map(({ id }) => id) },
          ...{ foreignIdleMs: options["min-idle"], toUnregistered: options["to-unregistered"] },
        });
        if (end.kind === "refused") {
          const [why, fix] = REFUSALS[end.why];
          throw new Failure("refused", `${moved === 0 ? "nothing was moved" : `after ${moved} messages`}: ${why}`, fix);
        }
        moved += end.ids.length;
        terminal.progress(`${moved} moved`);
        if (signal.aborted) break;
      }
      terminal.endProgress();
      const left = (await client.xpendingSummary({ stream, group })).consumers.get(from) ?? 0;
      return {
        facts: [...facts, { key: "moved", value: moved, unit: "count" }, { key: "left", value: left, unit: "count" }],
        notes: [
          ...(to === RELEASED && moved > 0 ? ["Any consumer of the group takes them as soon as it has room."] : []),
          ...(left > 0 ? ["What is left was touched too recently (--min-idle), or came meanwhile."] : []),
        ],
      };
    });
  });
