import { quoteName } from "@redis-batch/core/internal/names";
import type { ConsumerStatus, GroupReport, MonitorReport } from "@redis-batch/monitor";
import type { Invocation, Run } from "../command.ts";
import { CHECK_CODES, decideVerdict, type Measure, type Verdict } from "../decisions/check.ts";
import { SEVERITY } from "../decisions/severity.ts";
import { BrokenPipe, describeFailure, Failure } from "../failure.ts";
import { renderVerdict } from "../render/verdict.ts";
import type { check } from "../table/monitor.ts";
import { groupOf } from "./monitor.ts";
import { withMonitor } from "./with-monitor.ts";

type Call = Invocation<typeof check>;

const WELL: readonly ConsumerStatus[] = ["OK", "WARNING - too many pending items"];
const IN_TROUBLE: readonly ConsumerStatus[] = ["STALLED", "FAILING"];

export const run: Run<typeof check> = async (call) => {
  const { args, options, terminal } = call;
  const format = options.json ? "json" : options.format;
  const { verdict, problem } = await judge(call);
  try {
    await terminal.write(renderVerdict(format, args, verdict, problem));
  } catch (error) {
    // The exit code still says it.
    if (!(error instanceof BrokenPipe)) throw error;
  }
  return CHECK_CODES[verdict.status];
};

/** Never rejects: a monitoring system reads standard output, whatever goes wrong. */
async function judge(call: Call): Promise<{ readonly verdict: Verdict; readonly problem: string | null }> {
  try {
    refuseContradictions(call.options);
    const report = await withMonitor(call, {}, (monitor) => monitor.inspect());
    return { verdict: decideVerdict(measuresOf(groupOf(report, call), report, call.options)), problem: null };
  } catch (error) {
    return { verdict: { status: "unknown", findings: [] }, problem: describeFailure(error).message };
  }
}

/** A warning limit above the critical one would never warn. */
function refuseContradictions(options: Call["options"]): void {
  for (const what of ["backlog", "age", "pending", "dead-letters"] as const) {
    const [warn, most] = [options[`warn-${what}`], options[`max-${what}`]];
    if (warn === undefined || most === undefined || warn <= most) continue;
    throw new Failure("usage", `--warn-${what} is above --max-${what}, so it would never warn`);
  }
}

function measuresOf(group: GroupReport, { length }: MonitorReport, options: Call["options"]): readonly Measure[] {
  const ages = [group.oldestWaitingAgeMs, group.oldestPendingAgeMs].filter((age) => age !== null);
  // If nothing waits, the age is known: 0. If something waits and its age is unknown, it is unknown.
  const isIdle = group.backlog.messages === 0 && group.pending === 0;
  return [
    ...(options["ignore-health"] ? [] : judgementsOf(group)),
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

/** The monitor's own verdicts about the group and its consumers. */
function judgementsOf({ health, reason, consumers }: GroupReport): readonly Measure[] {
  const troubled = consumers.filter(({ status }) => IN_TROUBLE.includes(status));
  return [
    { name: "health", value: null, judged: { status: SEVERITY[health], words: `${health}, ${reason}` } },
    ...troubled.map(({ consumer, status, reason: why }) => ({
      ...{ name: "consumer", value: null },
      judged: { status: "warning" as const, words: `${quoteName(consumer)} ${status}, ${why}` },
    })),
  ];
}
