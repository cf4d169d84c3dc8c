import type { GroupReport, MonitorReport } from "@redis-batch/monitor";
import type { Run } from "../command.ts";
import { Failure, whatThereIs } from "../failure.ts";
import { groupReport } from "../render/group-report.ts";
import type { monitor } from "../table/monitor.ts";
import { withMonitor } from "./with-monitor.ts";

export const run: Run<typeof monitor> = async (call) => {
  const { options, terminal } = call;
  if (options.watch || options["auto-cleanup"]) {
    const { watch } = await import("./watch.ts");
    return watch(call);
  }
  await withMonitor(call, {}, async (monitor) => {
    const report = await monitor.inspect({ signal: call.signal });
    await terminal.report(groupReport(report, groupOf(report, call)), options.json);
  });
};

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
