/** Finds the server that has the stream now: by what the servers themselves say, not by way of the library. */
import { setTimeout as pause } from "node:timers/promises";
import type { RedisServer } from "@redis-batch/test-support";

/** How a server, or several, are set up. */
export type TopologyKind = "standalone" | "sentinel" | "cluster";

export const TOPOLOGY_KINDS: readonly TopologyKind[] = ["standalone", "sentinel", "cluster"];

/** The servers among which to look. */
export interface Servers {
  readonly kind: TopologyKind;
  /** Those that hold data. */
  readonly nodes: readonly RedisServer[];
  /** None, except with `sentinel`. */
  readonly sentinels: readonly RedisServer[];
}

/** The name by which Sentinels know their primary. */
export const SENTINEL_NAME = "primary";

/** A frozen one is not waited for. */
const LOOK_MS = 500;

/** @throws {Error} when the servers do not agree, or none has it */
export async function findMaster(servers: Servers, stream: string): Promise<RedisServer> {
  const { kind, nodes } = servers;
  if (kind === "standalone") return nodes[0] as RedisServer;
  const end = new AbortController();
  const late = pause(LOOK_MS, undefined, { signal: end.signal }).then(
    () => Promise.reject(new Error(`nobody says within ${LOOK_MS} ms who has the stream`)),
    () => new Promise<never>(() => {}),
  );
  const found = kind === "sentinel" ? namedByMost(servers) : answering(nodes, stream);
  return Promise.race([found, late]).finally(() => end.abort());
}

/** The port that a Sentinel names. */
export async function namedBy(sentinel: RedisServer): Promise<number> {
  const address = await sentinel.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SENTINEL_NAME);
  return Number((address as [string, string])[1]);
}

/** In a Cluster all others refer to it. */
async function answering(nodes: readonly RedisServer[], stream: string): Promise<RedisServer> {
  return Promise.any(nodes.map((node) => node.command("EXISTS", stream).then(() => node)));
}

function namedByMost({ nodes, sentinels }: Servers): Promise<RedisServer> {
  const votes = new Map<number, number>();
  const { promise, resolve, reject } = Promise.withResolvers<RedisServer>();
  const asked = sentinels.map(async (sentinel) => {
    const port = await namedBy(sentinel);
    const count = (votes.get(port) ?? 0) + 1;
    votes.set(port, count);
    const node = nodes.find((server) => server.port === port);
    if (node !== undefined && count * 2 > sentinels.length) resolve(node);
  });
  void Promise.allSettled(asked).then(() => reject(new Error("the Sentinels do not agree")));
  return promise;
}
