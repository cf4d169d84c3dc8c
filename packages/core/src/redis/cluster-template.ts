import { Cluster, type RedisOptions } from "ioredis";

/**
 * Creates a Cluster client as a template, for a program that knows only an address of the Cluster. Services duplicate
 * it; it never connects itself, so there is nothing to close.
 *
 * @param seeds nodes through which the others are found; settings of each connection (user, password, TLS) are in `perNode`
 */
export function createClusterTemplate(
  seeds: readonly { readonly host: string; readonly port: number }[],
  perNode: RedisOptions,
): Cluster {
  return new Cluster([...seeds], { lazyConnect: true, redisOptions: { ...perNode, replyMapping: "legacy" } });
}
