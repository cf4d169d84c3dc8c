import type { ConsumerOptions } from "@redis-batch/consumer";
import { Cluster, type ClusterNode, Redis, type RedisOptions } from "ioredis";
import type { Way } from "./topology/link.ts";

/**
 * An application's client with listeners on each connection, as instrumentation adds them. With other listeners, ioredis
 * decodes everything that is read, so consumers with this client use its decoder.
 */
export function watchedClient(way: Way): ConsumerOptions<unknown>["redis"] {
  if (way.kind === "cluster") {
    const cluster = new Cluster(way.nodes, { natMap: way.natMap, lazyConnect: true });
    return {
      isCluster: true,
      options: cluster.options,
      duplicate: (nodes: ClusterNode[], options: Parameters<Cluster["duplicate"]>[1]) => {
        const copy = cluster.duplicate(nodes, options);
        copy.on("+node", watch);
        return copy;
      },
    };
  }
  const client =
    way.kind === "standalone"
      ? new Redis(way.url, { lazyConnect: true })
      : new Redis({ name: way.name, sentinels: way.sentinels, natMap: way.natMap, lazyConnect: true });
  return {
    isCluster: false,
    options: client.options,
    duplicate: (options: RedisOptions) => watch(client.duplicate(options)),
  };
}

function watch(client: Redis): Redis {
  return client.on("connect", () => client.stream.on("data", () => {}));
}
