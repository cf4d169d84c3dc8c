/** All groups of all streams, looked at over one connection, as `status` and `top` show them. */
import { PermissionError, RedisBatchError } from "@redis-batch/core";
import { createRedisStreamClient, SharedConnection } from "@redis-batch/core/internal/connection";
import { joinPartitions } from "@redis-batch/core/internal/groups";
import { type GroupReport, Monitor, type MonitorReport } from "@redis-batch/monitor";
import type { Invocation } from "../command.ts";
import { endWhenSilent, findServer } from "../connection/open.ts";
import type { Ranked } from "../decisions/severity.ts";
import { findNames } from "./streams.ts";

const STREAMS_AT_ONCE = 8;

export interface OverviewGroup extends Ranked {
  readonly report: GroupReport;
  /** The report that it is part of. */
  readonly whole: MonitorReport;
}

export interface Look {
  readonly groups: readonly OverviewGroup[];
  readonly streams: number;
  /** Sentences about what is not shown. */
  readonly notes: readonly string[];
}

type Call = Pick<Invocation, "options" | "terminal" | "signal"> & {
  readonly options: { readonly match: string | undefined; readonly limit: number };
};

/** Runs a function with the overview, and closes its connection afterwards. */
export async function withOverview<Result>(call: Call, run: (overview: Overview) => Promise<Result>): Promise<Result> {
  const server = await findServer(call);
  const connection = new SharedConnection((tell) =>
    createRedisStreamClient({
      ...{ redis: server.redis, blockMs: 0 },
      report: (event) => {
        server.observe(event);
        tell(event);
      },
    }),
  );
  const { client } = connection;
  const stopListening = endWhenSilent(client, call.signal);
  const overview = new Overview(connection, call);
  try {
    await client.connect(["commands"], { timeoutMs: server.connectTimeoutMs, signal: call.signal });
    return await run(overview);
  } catch (error) {
    throw server.explain(error);
  } finally {
    stopListening();
    await overview.close();
    await client.close();
  }
}

export class Overview {
  readonly #connection: SharedConnection;
  readonly #call: Call;
  /** Kept, because rates and trends need the looks before. */
  readonly #monitors = new Map<string, Monitor>();

  constructor(connection: SharedConnection, call: Call) {
    this.#connection = connection;
    this.#call = call;
  }

  async look(): Promise<Look> {
    const { match, limit } = this.#call.options;
    const { client } = this.#connection;
    const found = await findNames(client, { match, limit, all: false });
    const names = await joinPartitions(client, found.names);
    for (const [stream, monitor] of this.#monitors) {
      if (names.includes(stream)) continue;
      this.#monitors.delete(stream);
      await monitor.close();
    }
    const groups: OverviewGroup[] = [];
    const notes = found.isAll
      ? []
      : [`There are more than ${limit} streams: narrow the search with --match, or raise --limit.`];
    let idle = 0;
    for (let at = 0; at < names.length; at += STREAMS_AT_ONCE) {
      const few = names.slice(at, at + STREAMS_AT_ONCE);
      const reports = await Promise.all(few.map((stream) => this.#inspect(stream, notes)));
      for (const report of reports) {
        if (report === undefined) continue;
        if (report.groups.length === 0) idle++;
        groups.push(...report.groups.map((group) => groupOf(report, group)));
      }
    }
    if (idle > 0) notes.push(`${idle} ${idle === 1 ? "stream has" : "streams have"} no group.`);
    return { groups, streams: names.length, notes };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#monitors.values()].map((monitor) => monitor.close()));
  }

  /** `undefined` if the stream cannot be read: a note says why, and the others are shown. */
  async #inspect(stream: string, notes: string[]): Promise<MonitorReport | undefined> {
    const monitor =
      this.#monitors.get(stream) ??
      new Monitor({ redis: this.#connection.source, stream, groups: "all", observer: () => {} });
    this.#monitors.set(stream, monitor);
    try {
      return await monitor.inspect({ signal: this.#call.signal });
    } catch (error) {
      // Without the right to one of them there is none to the others.
      if (!RedisBatchError.is(error) || error.retryable || PermissionError.is(error)) throw error;
      notes.push(`Not shown: the stream ${stream}: ${error.message}`);
      return undefined;
    }
  }
}

function groupOf(whole: MonitorReport, report: GroupReport): OverviewGroup {
  const { oldestOfferableMs, oldestWaitingAgeMs, oldestPendingAgeMs, group, health, backlog } = report;
  return {
    ...{ stream: whole.stream, group, health, waiting: backlog.messages, report, whole },
    ageMs: oldestOfferableMs ?? oldestWaitingAgeMs ?? oldestPendingAgeMs,
  };
}
