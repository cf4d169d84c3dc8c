import type { ConsumerStatus, GroupReport, MonitorReport } from "@redis-batch/monitor";
import type { Invocation, Run } from "../command.ts";
import { CHECK_CODES, decideVerdict, type Measure } from "../decisions/check.ts";
import { describeFailure } from "../failure.ts";
import { renderVerdict } from "../render/verdict.ts";
import type { check } from "../table/monitor.ts";
import { groupOf } from "./monitor.ts";
import { withMonitor } from "./with-monitor.ts";

type Call = Invocation<typeof check>;

const WELL: readonly ConsumerStatus[] = ["OK", "WARNING - too many pending items"];

export const run: Run<typeof check> = async (call) => {
  const { args, options, terminal } = call;
  const format = options.json ? "json" : options.format;
  try {
    const report = await withMonitor(call, {}, (looker) => looker.inspect());
    const verdict = decideVerdict(measuresOf(groupOf(report, call), report, options));
    await terminal.write(renderVerdict(format, args, verdict, null));
    return CHECK_CODES[verdict.status];
  } catch (error) {
    // A monitoring system reads standard output, whatever went wrong.
    const problem = describeFailure(error).message;
    await terminal.write(renderVerdict(format, args, { status: "unknown", findings: [] }, problem));
    return CHECK_CODES.unknown;
  }
};

function measuresOf(group: GroupReport, { length }: MonitorReport, options: Call["options"]): readonly Measure[] {
  const ages = [group.oldestWaitingAgeMs, group.oldestPendingAgeMs].filter((age) => age !== null);
  // That nothing waits is known to be no age at all; that the age of what waits is not known is not.
  const isIdle = group.backlog.messages === 0 && group.pending === 0;
  return [
    {
      name: "backlog",
      value: group.backlog.messages,
      warnAbove: options["warn-backlog"],
      criticalAbove: options["max-backlog"],
    },
    {
      name: "age_ms",
      value: ages.length > 0 ? Math.max(...ages) : isIdle ? 0 : null,
      warnAbove: options["warn-age"],
      criticalAbove: options["max-age"],
    },
    {
      name: "pending",
      value: group.pending,
      warnAbove: options["warn-pending"],
      criticalAbove: options["max-pending"],
    },
    {
      name: "dead_letters",
      value: group.deadLetters,
      warnAbove: options["warn-dead-letters"],
      criticalAbove: options["max-dead-letters"],
    },
    {
      name: "consumers",
      value: group.consumers.filter(({ status }) => WELL.includes(status)).length,
      criticalBelow: options["min-consumers"],
    },
    { name: "stream_length", value: length },
  ];
}
