import { RELEASED } from "@redis-batch/core/internal/names";
import { pause, systemClock } from "@redis-batch/core/internal/service";
import type { CleanUpReport, MonitorReport } from "@redis-batch/monitor";
import type { Run } from "../command.ts";
import { planFirst } from "../plan.ts";
import type { Report, Row } from "../render/report.ts";
import type { cleanup } from "../table/monitor.ts";
import { groupOf, refuseMissing } from "./monitor.ts";
import { withMonitor } from "./with-monitor.ts";

export const run: Run<typeof cleanup> = (call) => {
  const { options, terminal, signal } = call;
  const settings = { graceMs: options.wait, ...(options["to-any"] ? { handOverTo: "any" as const } : {}) };
  return withMonitor(call, settings, async (monitor) => {
    // Stay connected meanwhile: the clean-up counts from the moment of the connection.
    const { stream, group } = call.args;
    const found = await monitor.inspect({ signal });
    // A mistyped name must not look like a group with nothing to clean up.
    if (group === undefined) refuseMissing(found, stream);
    else groupOf(found, { args: { stream, group } });
    if (options.wait > 0) terminal.progress("connected, waiting");
    await pause(systemClock, options.wait, signal);
    terminal.endProgress();
    const plan = await monitor.cleanUp({ dryRun: true });
    return planFirst(
      terminal,
      options,
      {
        ...describe(plan),
        nothing: rowsOf(plan).every(({ does }) => does === "nothing" || does === "stays")
          ? waitsForForeign(found)
            ? SOONER
            : "There is nothing to do now."
          : undefined,
      },
      async () => describe(await monitor.cleanUp({ signal })),
    );
  });
};

const SOONER =
  "Nothing can be done yet. If such a consumer has certainly stopped: --foreign-idle makes it count as dead sooner, and `redis-batch reassign` releases its messages with --min-idle 0.";

/** Whether messages are with a consumer that only its idle time can show to be dead. */
const waitsForForeign = ({ groups }: MonitorReport): boolean =>
  groups.some(({ consumers }) => consumers.some(({ foreign, pending }) => foreign && pending > 0));

function describe(report: CleanUpReport): Report {
  return {
    facts: [
      { key: "stream", value: report.stream },
      { key: "groups", value: report.groups.length, unit: "count" },
    ],
    table: {
      key: "steps",
      columns: [
        { key: "group" },
        { key: "consumer" },
        { key: "does", title: "what" },
        { key: "messages", unit: "count" },
        { key: "to" },
        { key: "reason" },
      ],
      rows: rowsOf(report),
      none: "The stream has no groups.",
    },
  };
}

function rowsOf({ groups }: CleanUpReport): Row[] {
  return groups.flatMap(({ group, reason, moves, taken, left, trimmed, removed }) => {
    const row = (consumer: string | null, does: string, more: Row = {}): Row => ({
      ...{ group, consumer, does, messages: null, to: null, reason: null },
      ...more,
    });
    const rows = [
      ...moves.map(({ from, to, messages }) =>
        to === RELEASED
          ? row(from, "released", { messages, to: "any consumer" })
          : row(from, "handed over", { messages, to }),
      ),
      ...(taken?.by ?? []).map(({ consumer, messages }) => row(consumer, "took", { messages })),
      ...(taken === null || taken.waiting === 0
        ? []
        : [row(null, "waits for any consumer", { messages: taken.waiting })]),
      ...left.map(({ consumer, messages, reason: why }) => row(consumer, "stays", { messages, reason: why })),
      ...trimmed.map(({ consumer, messages }) => row(consumer, "cleared: deleted before", { messages })),
      ...removed.map((consumer) => row(consumer, "name removed")),
    ];
    return rows.length === 0 ? [row(null, "nothing", { reason })] : rows;
  });
}
