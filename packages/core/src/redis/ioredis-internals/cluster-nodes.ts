/**
 * The nodes of a Cluster, as its clients have found them. ioredis connects again by way of the start-up nodes only, so a
 * Cluster would be lost for good if they were replaced while the client was connected to others.
 */
import type { Cluster } from "ioredis";
import type { RedisClient } from "../redis-client.ts";

type Address = { readonly host?: string | undefined; readonly port?: number | undefined };

export class ClusterNodes {
  #known: readonly Address[] = [];

  /**
   * Has a client, not connected yet, also try the nodes that were last known, whenever an attempt by way of its start-up
   * nodes alone has failed. Relies on ioredis reading `startupNodes` at each attempt, which its README describes.
   */
  follow(client: RedisClient): void {
    const startupNodes = Reflect.get(client as Cluster, "startupNodes") as readonly unknown[];
    let isFound = false;
    client.on("refresh", () => {
      isFound = true;
      this.#known = (client.nodes?.("all") ?? []).map(({ options: { host, port } }) => ({ host, port }));
    });
    client.on("close", () => {
      Reflect.set(client, "startupNodes", isFound ? startupNodes : [...startupNodes, ...this.#known]);
      isFound = false;
    });
  }
}
