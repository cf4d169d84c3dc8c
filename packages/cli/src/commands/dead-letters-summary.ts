import type { DeadLetters } from "@redis-batch/core";
import type { Invocation, Run } from "../command.ts";
import { isoTime } from "../point.ts";
import type { summary } from "../table/dead-letters.ts";
import { filterOf, refuseMissingGroup, withLetters } from "./letters.ts";
import { repeat } from "./repeat.ts";

export const run: Run<typeof summary> = (call) =>
  withLetters(call, (deadLetters) => repeat(call, () => show(deadLetters, call)));

async function show(deadLetters: DeadLetters, call: Invocation<typeof summary>): Promise<void> {
  const { limit, json } = call.options;
  const { groups, examined, isAll } = await deadLetters.summarise({ limit, filter: filterOf(call.options) ?? "all" });
  if (examined === 0) await refuseMissingGroup(call);
  await call.terminal.report(
    {
      facts: [
        { key: "stream", value: call.args.stream },
        { key: "group", value: call.args.group },
        { key: "examined", title: "looked at", value: examined, unit: "count" },
        { key: "all", title: "all of them", value: isAll },
      ],
      table: {
        key: "errors",
        columns: [
          { key: "letters", unit: "count" },
          { key: "reason" },
          { key: "first" },
          { key: "last" },
          { key: "sample" },
          { key: "error", isProse: true },
        ],
        rows: groups.map(({ letters, reason, firstAtMs, lastAtMs, sampleId, error }) => ({
          ...{ letters, reason, first: isoTime(firstAtMs), last: isoTime(lastAtMs), sample: sampleId, error },
        })),
        none: examined === 0 ? "There are no dead letters." : "No dead letters matched.",
      },
      notes: isAll ? [] : [`There are more: --limit looks at more than the newest ${limit}.`],
    },
    json,
  );
}
