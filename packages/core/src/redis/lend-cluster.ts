import { Cluster, type RedisOptions } from "ioredis";

/**
 * Makes a Cluster that lends its configuration to others, for a program that knows a Cluster by an address only. It
 * never connects itself, so there is nothing to close.
 *
 * @param seeds nodes by which the others are found; what each connection needs (user, password, TLS) comes from `perNode`
 */
export function lendCluster(
  seeds: readonly { readonly host: string; readonly port: number }[],
  perNode: RedisOptions,
): Cluster {
  return new Cluster([...seeds], { lazyConnect: true, redisOptions: { ...perNode, replyMapping: "legacy" } });
}
