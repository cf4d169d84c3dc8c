import { readFileSync } from "node:fs";
import { type DashboardServer, startDashboard } from "@redis-batch/dashboard";
import { type MonitorEvent, MonitorTally, startMetricsServer } from "@redis-batch/monitor";
import type { Invocation, Run } from "../command.ts";
import { findServer } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import type { serve } from "../table/monitor.ts";
import { withMonitor } from "./with-monitor.ts";

export const run: Run<typeof serve> = async (call) => {
  const { args, options, terminal, signal } = call;
  const file = options["token-file"];
  const token = file === undefined ? undefined : readToken(file);
  const tally = new MonitorTally(args.stream);
  const observer = (event: MonitorEvent): void => {
    tally.observe(event);
    if (event.type === "passFailed") terminal.note(`a pass failed: ${event.error.message}; retrying`, "warn");
  };
  await withMonitor(call, { observer }, async (monitor) => {
    await monitor.inspect({ signal });
    await using server = await startMetricsServer({
      ...{ source: () => monitor.lastReport, tally, port: options.port, host: options.host },
      ...(token === undefined ? {} : { token }),
    });
    await using page = options.ui ? await openPage(call) : null;
    const facts = [{ key: "url", value: server.url }];
    await terminal.report({ facts: page === null ? facts : [...facts, { key: "ui", value: page.url }] }, options.json);
    await monitor.run({
      ...{ intervalMs: options.interval, signal },
      ...{ autoCleanUp: options["auto-cleanup"], autoTrim: options["auto-trim"] },
    });
  });
};

/** The monitor tells what goes wrong, for both. */
async function openPage(call: Invocation<typeof serve>): Promise<DashboardServer> {
  const { redis, connectTimeoutMs } = await findServer(call);
  const { args, options } = call;
  return startDashboard({
    ...{ redis, connectTimeoutMs, streams: [args.stream], port: options["ui-port"], observer: () => {} },
  });
}

function readToken(path: string): string {
  try {
    const token = readFileSync(path, "utf8").split(/\r?\n/, 1)[0] ?? "";
    if (token !== "") return token;
  } catch (error) {
    throw new Failure(
      "usage",
      `the token file cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  throw new Failure("usage", `the first line of ${path} is empty; it must be the token`);
}
