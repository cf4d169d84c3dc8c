import type { ServerOptions } from "./own-server.ts";
import { RedisServer } from "./redis-server.ts";

/** Servers that belong together and are stopped together. */
export class ServerGroup implements AsyncDisposable {
  readonly #servers: RedisServer[] = [];

  /** Starts several servers at once. When one of them fails, the others still belong to the group, to be stopped. */
  async start(options: readonly ServerOptions[]): Promise<RedisServer[]> {
    const outcomes = await Promise.allSettled(options.map((each) => RedisServer.start(each)));
    const started = outcomes.filter((outcome) => outcome.status === "fulfilled").map(({ value }) => value);
    this.#servers.push(...started);
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return started;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Builds something out of servers of one group; what was started is stopped again when that fails. */
export async function assemble<T>(build: (group: ServerGroup) => Promise<T>): Promise<T> {
  const group = new ServerGroup();
  try {
    return await build(group);
  } catch (cause) {
    await group.stop();
    throw cause;
  }
}
