/**
 * What ioredis does by itself may fail: it tries again, or what it was done for fails as well. Nobody has to know.
 * But ioredis would print some of these failures, and Node would end the process for others, as for every rejection that
 * nobody handles.
 */
import type { Redis } from "ioredis";
import type { RedisClient } from "../redis-client.ts";

/** Methods whose promise ioredis drops when it calls them by itself: for ASK redirections, and when it has reconnected. */
const CALLED_BY_ITSELF = ["asking", "select", "subscribe"] as const;

/** For a client, not connected yet, and for those that it makes itself, for nodes of a Cluster and for Sentinels. */
export function keepFailuresQuiet(client: RedisClient): void {
  if (client.isCluster) {
    client.on("+node", (node) => ignoreEnds(node as Redis));
    return;
  }
  ignoreEnds(client as Redis);
  followSentinels(client as Redis);
}

/** Handles their rejections. Other callers of these methods still get them. Without the methods nothing changes. */
function ignoreEnds(client: Redis): void {
  for (const name of CALLED_BY_ITSELF) {
    const call = Reflect.get(client, name) as ((...args: unknown[]) => Promise<unknown>) | undefined;
    if (call === undefined) continue;
    Reflect.set(client, name, (...args: unknown[]) => {
      const reply = call.apply(client, args);
      reply.catch(() => {});
      return reply;
    });
  }
}

/** Relies on the connector making each connection to a Sentinel by `connectToSentinel`; without it nothing changes. */
function followSentinels(client: Redis): void {
  const connector = Reflect.get(client, "connector") as
    | { connectToSentinel?: (...args: unknown[]) => Redis }
    | undefined;
  const make = connector?.connectToSentinel?.bind(connector);
  if (connector === undefined || make === undefined) return;
  connector.connectToSentinel = (...args) => {
    // Those that only watch for a failover would be printed.
    const sentinel = make(...args).on("error", () => {});
    ignoreEnds(sentinel);
    return sentinel;
  };
}
