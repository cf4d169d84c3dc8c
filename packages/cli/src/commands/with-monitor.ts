import { onAbort } from "@redis-batch/core/internal/service";
import { Monitor, type MonitorOptions } from "@redis-batch/monitor";
import type { Invocation } from "../command.ts";
import { findServer } from "../connection/open.ts";

type Call = Pick<Invocation, "options" | "terminal" | "signal"> & {
  readonly args: { readonly stream: string; readonly group?: string | undefined };
};

type Judging = Partial<Readonly<Record<"idle-threshold" | "foreign-idle", number>>>;

/** Runs a function with a monitor of the group, or of all groups if none is named, and closes it afterwards. */
export async function withMonitor<Result>(
  call: Call & { readonly options: Call["options"] & Judging },
  settings: Omit<MonitorOptions, "redis" | "stream" | "group" | "groups">,
  run: (monitor: Monitor) => Promise<Result>,
): Promise<Result> {
  const { args, options } = call;
  const { redis, connectTimeoutMs, observe, explain } = await findServer(call);
  const idleThresholdMs = options["idle-threshold"];
  const foreignIdleMs = options["foreign-idle"];
  const monitor: Monitor = new Monitor({
    ...{ redis, stream: args.stream, connectTimeoutMs },
    ...(args.group === undefined ? { groups: "all" } : { group: args.group }),
    ...(idleThresholdMs === undefined ? {} : { idleThresholdMs }),
    ...(foreignIdleMs === undefined ? {} : { foreignIdleMs }),
    ...settings,
    // The user sees everything else in the result; after the first report, an outage shows in the next one.
    observer(event) {
      if (monitor.lastReport === null) observe(event);
      settings.observer?.(event);
    },
  });
  // Closing ends the running pass when the server does not answer, instead of waiting until it fails.
  const stopListening = onAbort(call.signal, () => void monitor.close());
  try {
    return await run(monitor);
  } catch (error) {
    if (call.signal.aborted) throw call.signal.reason;
    throw explain(error);
  } finally {
    stopListening();
    await monitor.close();
  }
}
