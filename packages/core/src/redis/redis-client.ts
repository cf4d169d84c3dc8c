import type { Argument } from "../wire/command.ts";

/**
 * As much of an ioredis client as we use openly: what ioredis documents. It has none of ioredis' insides, so nobody who
 * holds one can reach for them. `ioredis-internals/` does that.
 */
export interface RedisClient {
  readonly isCluster: boolean;
  readonly status: string;
  readonly options: {
    readonly connectTimeout?: number | undefined;
    readonly host?: string | undefined;
    readonly port?: number | undefined;
    readonly path?: string | undefined;
    readonly tls?: object | undefined;
    /** By which the server is found, and the name it has there. */
    readonly sentinels?: readonly object[] | null | undefined;
    readonly name?: string | undefined;
    /** Only a Cluster has them, and none of the others. */
    readonly redisOptions?: object | undefined;
  };
  connect(): Promise<void>;
  /** @param reconnect ends only the connection there is */
  disconnect(reconnect?: boolean): void;
  on(event: string, listener: (detail: unknown) => void): unknown;
  callBuffer(command: string, ...args: Argument[]): Promise<unknown>;
  /** Only a Cluster has them. */
  nodes?(role: "all" | "master"): readonly RedisClient[];
}

/** Where a client's server is, or what stands for that; never user or password. */
export function describeServer({ isCluster, options }: RedisClient): string {
  if (isCluster) return "the cluster";
  const { path, host, port, sentinels, name } = options;
  if (sentinels !== null && sentinels !== undefined) return `"${name ?? ""}" by Sentinel`;
  return path ?? `${host ?? "localhost"}:${port ?? 6379}`;
}

/** By what nodes of a Cluster are told apart. */
export function hostAndPort({ host, port }: RedisClient["options"]): string {
  return `${host ?? ""}:${port ?? 0}`;
}
