import type { DeadLetters } from "@redis-batch/core";
import { describeCount } from "@redis-batch/core/internal/errors";
import type { Invocation, Run } from "../command.ts";
import { Failure } from "../failure.ts";
import type { list } from "../table/dead-letters.ts";
import { filterOf, isLetterId, refuseMissingGroup, withLetters } from "./letters.ts";
import { repeat } from "./repeat.ts";

export const run: Run<typeof list> = (call) =>
  withLetters(call, (deadLetters) => repeat(call, () => show(deadLetters, call)));

async function show(deadLetters: DeadLetters, call: Invocation<typeof list>): Promise<void> {
  const { from, limit, newest } = call.options;
  if (from !== undefined && !isLetterId(from)) throw new Failure("usage", "--from must be the id of a dead letter");
  const filter = filterOf(call.options) ?? "all";
  const total = await deadLetters.count();
  if (total === 0) await refuseMissingGroup(call);
  const { letters, next, foreign } = await deadLetters.list({
    limit,
    filter,
    newestFirst: newest,
    ...(from === undefined ? {} : { from }),
  });
  await call.terminal.report(
    {
      facts: [
        { key: "stream", value: call.args.stream },
        { key: "group", value: call.args.group },
        { key: "total", value: total, unit: "count" },
        { key: "next", value: next },
      ],
      table: {
        key: "letters",
        columns: [
          { key: "id" },
          { key: "entryId", title: "message" },
          { key: "at" },
          { key: "reason" },
          { key: "deliveries", unit: "count" },
          { key: "consumer" },
          { key: "error", isProse: true },
        ],
        rows: letters.map(({ id, entryId, at, reason, deliveries, consumer, error }) => ({
          ...{ id, entryId, reason, deliveries, consumer, error },
          at: at.toISOString(),
        })),
        none: total === 0 ? "There are no dead letters." : "No dead letters matched.",
      },
      notes: [
        ...(next === null ? [] : [`There may be more: continue with --from ${next}.`]),
        ...(foreign === 0
          ? []
          : [`Left alone: ${describeCount(foreign, "entry", "entries")} that Redis Batch did not write.`]),
      ],
    },
    call.options.json,
  );
}
