/** What kind of server answers: one with data, a node of a Cluster, or a Sentinel; and how to connect to it rightly. */
import { isIPv6 } from "node:net";
import { ConfigError } from "../errors/errors.ts";
import { decodeNamed, decodeText } from "../wire/reply.ts";

export type ServerKind = "standalone" | "cluster" | "sentinel";

/** Sends one command, and resolves with its raw reply. */
export type Ask = (command: string, ...args: string[]) => Promise<unknown>;

/** Where a server is, and whether it is spoken to by TLS. */
export interface Place {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: string | undefined;
  readonly tls?: object | undefined;
}

/**
 * The kind of the server, as HELLO reports it, which needs no right. A proxy in front of a Cluster answers it for itself.
 * `null` if it cannot be known.
 */
export async function askKind(ask: Ask): Promise<ServerKind | null> {
  try {
    const kind = decodeText(decodeNamed(await ask("hello"), "hello").get("mode"), "hello");
    return kind === "standalone" || kind === "cluster" || kind === "sentinel" ? kind : null;
  } catch {
    return null;
  }
}

/** The names of the masters that a Sentinel knows; none if it does not tell. */
export async function masterNames(ask: Ask): Promise<readonly string[]> {
  try {
    const masters = (await ask("sentinel", "masters")) as readonly unknown[];
    return masters.map((master) => decodeText(decodeNamed(master, "sentinel").get("name"), "sentinel"));
  } catch {
    return [];
  }
}

/** How a server was taken that is of another kind. */
export async function wrongKind(
  kind: ServerKind,
  taken: "a single server" | "a node of a Cluster" | "a Sentinel",
  at: Place,
  ask: Ask,
): Promise<string> {
  const scheme = at.tls === undefined ? "redis" : "rediss";
  const address = describePlace(at);
  switch (kind) {
    case "cluster":
      return `${address} is a node of a Redis Cluster, and was taken for ${taken}: ${howToReachCluster(at)}`;
    case "sentinel": {
      const [name = "<master name>"] = await masterNames(ask);
      return `${address} is a Sentinel, and was taken for ${taken}: connect with ${scheme}+sentinel://${address}/${encodeURIComponent(name)}`;
    }
    case "standalone":
      return `${address} is ${taken === "a Sentinel" ? "no Sentinel" : "not part of a Cluster"}, but a single Redis server: connect with ${scheme}://${address}`;
  }
}

/** The error for a redirection: only a node of a Cluster sends one, and only a Cluster client can follow it. */
export function redirectedError(at: Place): ConfigError {
  return new ConfigError("redis", [
    `${describePlace(at)} is a node of a Redis Cluster, and was taken for a single server: ${howToReachCluster(at)}`,
  ]);
}

function howToReachCluster(at: Place): string {
  // A socket is on this machine, and a Cluster is found by its ports.
  const address = at.path === undefined ? describePlace(at) : "host:port";
  return `connect with ${at.tls === undefined ? "redis" : "rediss"}+cluster://${address}, or pass a Cluster client of ioredis`;
}

/** `host:port`, as in a URL. */
export function describePlace({ path, host = "localhost", port = 6379 }: Place): string {
  return path ?? `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
