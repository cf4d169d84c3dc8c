import type { ConsumerOptions } from "@redis-batch/consumer";
import { Cluster } from "ioredis";
import type { Way } from "./link.ts";

/** The `redis` option for a way. */
export function sourceOf(way: Way): ConsumerOptions<unknown>["redis"] {
  if (way.kind === "standalone") return way.url;
  const { natMap } = way;
  if (way.kind === "sentinel") return { name: way.name, sentinels: way.sentinels, natMap };
  return new Cluster(way.nodes, { natMap, lazyConnect: true });
}
