import type { ConsumerOptions } from "@redis-batch/consumer";
import { Redis, type RedisOptions } from "ioredis";

/**
 * An application's client, to be lent: somebody watches what comes in over each of its connections, as instrumentation
 * does. Where somebody else listens, ioredis decodes everything that is read, so whoever lends it reads its way.
 */
export function watchedClient(url: string): ConsumerOptions<unknown>["redis"] {
  const client = new Redis(url, { lazyConnect: true });
  return {
    isCluster: false,
    options: client.options,
    duplicate: (options: RedisOptions) => {
      const copy = client.duplicate(options);
      copy.on("connect", () => copy.stream.on("data", () => {}));
      return copy;
    },
  };
}
