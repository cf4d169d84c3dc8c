import { quoteName, shellWord } from "@redis-batch/core/internal/names";
import type { GroupReport, MonitorReport } from "@redis-batch/monitor";
import type { Invocation, Run } from "../command.ts";
import { Failure, whatThereIs } from "../failure.ts";
import { groupReport } from "../render/group-report.ts";
import type { monitor } from "../table/monitor.ts";
import { withMonitor } from "./with-monitor.ts";

export const run: Run<typeof monitor> = async (call) => {
  const { options, terminal } = call;
  const { stream, group } = call.args;
  if (group === undefined) throw await whichGroup(call);
  const named = { ...call, args: { stream, group } };
  if (options.watch || options["auto-cleanup"]) {
    const { watch } = await import("./watch.ts");
    return watch(named);
  }
  await withMonitor(named, {}, async (monitor) => {
    const report = await monitor.inspect({ signal: call.signal });
    await terminal.report(groupReport(report, groupOf(report, named)), options.json);
  });
};

// A sentence with more names is not read.
const MOST_NAMED = 10;

/** Names the groups to choose from. */
async function whichGroup(call: Invocation<typeof monitor>): Promise<Failure> {
  const { stream } = call.args;
  const report = await withMonitor(call, {}, (monitor) => monitor.inspect({ signal: call.signal }));
  refuseMissing(report, stream);
  const names = report.groups.map(({ group }) => group);
  const words = `redis-batch monitor ${shellWord(stream)}`;
  if (names.length === 0) {
    const fix = `create one with \`redis-batch group create ${shellWord(stream)} <group>\`, or start a consumer`;
    return new Failure("missing", `the stream ${quoteName(stream)} has no group`, fix);
  }
  const more =
    names.length > MOST_NAMED
      ? `, and ${names.length - MOST_NAMED} more: \`redis-batch groups ${shellWord(stream)}\``
      : "";
  const lines = names.slice(0, MOST_NAMED).map((name) => `${words} ${shellWord(name)}`);
  return new Failure("usage", "<group> is missing", `${lines.join(", ")}${more}`);
}

/** @throws {Failure} when the stream or the group does not exist */
export function groupOf(
  report: MonitorReport,
  { args }: { readonly args: { readonly stream: string; readonly group: string } },
): GroupReport {
  const [group] = report.groups;
  if (group !== undefined) return group;
  refuseMissing(report, args.stream);
  throw new Failure("missing", `the stream "${args.stream}" has no group "${args.group}"`, whatThereIs(args.stream));
}

/** @throws {Failure} when the stream does not exist */
export function refuseMissing({ length }: MonitorReport, stream: string): void {
  if (length === null) throw new Failure("missing", `there is no stream "${stream}"`, whatThereIs());
}
