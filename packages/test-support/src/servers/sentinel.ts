import { eventually } from "../time/eventually.ts";
import type { ServerOptions } from "./own-server.ts";
import type { RedisServer } from "./redis-server.ts";
import { assemble, type ServerGroup } from "./server-group.ts";

export interface SentinelOptions extends Pick<ServerOptions, "version" | "source" | "persistence"> {
  /** How many replicas follow the primary, 1 by default. */
  readonly replicas?: number;
  /** How many Sentinels watch, 1 by default (a start of some 100 ms); 3 take some seconds to find each other. */
  readonly sentinels?: number;
  /** How long a silent primary is still taken to be alive, 300 ms by default. */
  readonly downAfterMs?: number;
}

/** A primary with its replicas, watched by Sentinels. */
export interface SentinelTopology extends AsyncDisposable {
  /** The name under which the Sentinels know the primary. */
  readonly name: string;
  /** The server that was the primary at the start. */
  readonly primary: RedisServer;
  readonly replicas: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
  /** Options for ioredis. */
  readonly options: { readonly name: string; readonly sentinels: { host: string; port: number }[] };
  stop(): Promise<void>;
}

const NAME = "primary";
const START_LIMIT_MS = 30_000;

/** Starts a primary, replicas that are in step with it, and Sentinels that know each other and all of them. */
export function startSentinel(options: SentinelOptions = {}): Promise<SentinelTopology> {
  return assemble((group) => buildSentinel(group, options));
}

async function buildSentinel(group: ServerGroup, options: SentinelOptions): Promise<SentinelTopology> {
  const { replicas: replicaCount = 1, sentinels: sentinelCount = 1, downAfterMs = 300, ...common } = options;
  const [primary] = await group.start([common]);
  if (primary === undefined) throw new Error("no primary");
  const replicas = await group.start(Array.from({ length: replicaCount }, () => ({ ...common, replicaOf: primary })));
  await eventually("every replica follows the primary", () => allFollow(replicas), { timeoutMs: START_LIMIT_MS });
  const sentinelConfig = [
    `sentinel monitor ${NAME} ${primary.host} ${primary.port} ${Math.floor(sentinelCount / 2) + 1}`,
    `sentinel down-after-milliseconds ${NAME} ${downAfterMs}`,
    `sentinel failover-timeout ${NAME} 2000`,
    `sentinel parallel-syncs ${NAME} 1`,
  ];
  const { persistence: _persistence, ...forSentinels } = common;
  const sentinels = await group.start(
    Array.from({ length: sentinelCount }, () => ({ ...forSentinels, sentinelConfig })),
  );
  const known = `slaves=${replicaCount},sentinels=${sentinelCount}`;
  await eventually("every Sentinel knows the others", () => allReport(sentinels, known), { timeoutMs: START_LIMIT_MS });
  const stop = () => group.stop();
  return {
    name: NAME,
    primary,
    replicas,
    sentinels,
    options: { name: NAME, sentinels: sentinels.map(({ host, port }) => ({ host, port })) },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function allFollow(replicas: readonly RedisServer[]): Promise<boolean> {
  const reports = await Promise.all(replicas.map((replica) => replica.info("replication")));
  return reports.every((report) => report["master_link_status"] === "up");
}

async function allReport(sentinels: readonly RedisServer[], known: string): Promise<boolean> {
  const reports = await Promise.all(sentinels.map((sentinel) => sentinel.info("sentinel")));
  return reports.every((report) => report["master0"]?.endsWith(known));
}
