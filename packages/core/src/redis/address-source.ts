import { Cluster, type RedisOptions } from "ioredis";
import { type ClusterAddress, isClusterAddress } from "./server-address.ts";

/**
 * What ioredis takes for an address. For a Cluster that is a client as a template: services duplicate it, and it never
 * connects itself, so there is nothing to close.
 */
export function sourceOfAddress(address: RedisOptions | ClusterAddress): RedisOptions | Cluster {
  if (!isClusterAddress(address)) return address;
  return new Cluster([...address.seeds], {
    lazyConnect: true,
    // A node's certificate is for its name: ioredis would connect to the address that the name has.
    dnsLookup: (name, done) => done(null, name),
    redisOptions: { ...address.perNode, replyMapping: "legacy" },
  });
}
