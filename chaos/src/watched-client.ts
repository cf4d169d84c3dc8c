import type { ConsumerOptions } from "@redis-batch/consumer";
import { Redis, type RedisOptions } from "ioredis";

/**
 * An application's client with listeners on each connection, as instrumentation adds them. With other listeners, ioredis
 * decodes everything that is read, so consumers with this client use its decoder.
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
