import { pendingPages } from "@redis-batch/core/internal/groups";
import type { HandOverRefusal } from "@redis-batch/core/internal/messages";
import { isReservedConsumer, RELEASED } from "@redis-batch/core/internal/names";
import type { Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import { planFirst } from "../plan.ts";
import type { reassign } from "../table/group.ts";
import { findGroup } from "./find-group.ts";

const MOVED_AT_ONCE = 250;

const REFUSALS: Readonly<Record<HandOverRefusal, readonly [string, string]>> = {
  "owner-alive": ["the consumer that holds them is alive", "stop it first: otherwise both would process the messages"],
  "target-unknown": [
    "the target is not a consumer of Redis Batch",
    "`redis-batch consumers` lists the consumers; --to-unregistered allows this target",
  ],
  "target-silent": ["the target is not alive", "`redis-batch consumers` shows which consumers are alive"],
};

export const run: Run<typeof reassign> = (call) =>
  withClient(call, async (client) => {
    const { args, options, terminal, signal } = call;
    const { stream, group } = args;
    const { from, to = RELEASED } = options;
    if (from === undefined)
      throw new Failure("usage", "--from is missing: it names the consumer that holds the messages");
    if (from === to) {
      throw new Failure(
        "usage",
        to === RELEASED ? "these messages are already released" : "--from and --to are the same consumer",
      );
    }
    if (isReservedConsumer(to) && to !== RELEASED) {
      throw new Failure(
        "usage",
        `"${to}" is not a consumer`,
        "leave out --to: then any consumer of the group claims the messages",
      );
    }
    await findGroup(client, stream, group);
    const names = (await client.xinfoConsumers({ stream, group })).map(({ name }) => name);
    for (const name of [from, to]) {
      // The reserved name for released messages need not exist yet.
      if (names.includes(name) || name === RELEASED) continue;
      throw new Failure(
        "missing",
        `the group has no consumer "${name}"`,
        `\`redis-batch consumers\` lists its consumers`,
      );
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
          ...(to === RELEASED && moved > 0 ? ["Any consumer of the group claims them as soon as it has room."] : []),
          ...(left > 0
            ? ["The messages that are left were not idle for long enough (--min-idle), or arrived in the meantime."]
            : []),
        ],
      };
    });
  });
