/** Turns the selected server into something the packages can connect to. */
import { readFileSync } from "node:fs";
import { ConnectionError, type RedisSource } from "@redis-batch/core";
import {
  createClusterTemplate,
  createRedisStreamClient,
  parseRedisUrl,
  type StreamClient,
} from "@redis-batch/core/internal/connection";
import type { Invocation } from "../command.ts";
import { Failure } from "../failure.ts";
import { adviseOnConnection } from "./advice.ts";
import { chooseContext, contextsPath, readContexts } from "./contexts.ts";
import { readPassword } from "./password.ts";
import { decidePlace, type Place } from "./place.ts";

type Caller = Pick<Invocation, "options" | "terminal" | "signal">;

/** The packages' `redis` option, and how long to wait for a connection. */
export interface Server {
  readonly redis: RedisSource;
  readonly connectTimeoutMs: number;
  /**
   * Tells the user when there is no connection yet, and why, long before the connect timeout. The packages take it as an
   * observer, the port as `report`.
   */
  readonly observe: (event: { readonly type: string; readonly reason?: string }) => void;
  /** Adds to a connection error where the address came from. */
  readonly explain: (error: unknown) => unknown;
}

/**
 * Finds the selected server. Does not connect.
 *
 * @throws {Failure} when options or configuration are wrong
 */
export async function findServer({ options, terminal }: Caller): Promise<Server> {
  const { env } = terminal;
  // The command line comes before any context, which then need not even be readable.
  const needsContext = options.context !== undefined || (options.url === undefined && options.sentinel === undefined);
  const isEnvEnough = options.context === undefined && (env["REDIS_URL"] ?? "") !== "";
  const context =
    needsContext && !isEnvEnough ? chooseContext(readContexts(contextsPath(env)), options.context) : undefined;
  const place = decidePlace(options, env, context);
  const password = await readPassword(place.password, env);
  return {
    redis: sourceOf(place, password, env["REDIS_SENTINEL_PASSWORD"]),
    connectTimeoutMs: options["connect-timeout"],
    observe: ({ type, reason = "" }) => {
      if (type === "connectFailed") terminal.note(`no connection yet: ${reason}; retrying`, "warn");
    },
    explain: (error) => {
      if (!ConnectionError.is(error)) return error;
      return new Failure("unreachable", error.message, adviseOnConnection(error.message, place));
    },
  };
}

/** Runs a function with its own connection, and closes it afterwards. */
export async function withClient<Result>(
  caller: Caller,
  run: (client: StreamClient, server: Server) => Promise<Result>,
): Promise<Result> {
  const server = await findServer(caller);
  // No read ever blocks here.
  const client = createRedisStreamClient({ redis: server.redis, blockMs: 0, report: server.observe });
  try {
    await client.connect(["commands"], { timeoutMs: server.connectTimeoutMs, signal: caller.signal });
    return await run(client, server);
  } catch (error) {
    throw server.explain(error);
  } finally {
    await client.close();
  }
}

function sourceOf(place: Place, password: string | undefined, sentinelPassword: string | undefined): RedisSource {
  const { db, username, ...address } = parseRedisUrl(place.url);
  const user = place.user ?? username;
  const tls = place.tls === undefined ? undefined : { ...readTls(place.tls), ...address.tls };
  const shared = {
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
  };
  if (place.sentinels.length > 0) {
    return {
      ...shared,
      sentinels: place.sentinels.map((sentinel) => ({ ...sentinel })),
      name: place.sentinelName,
      ...(sentinelPassword === undefined || sentinelPassword === "" ? {} : { sentinelPassword }),
      ...(tls === undefined ? {} : { enableTLSForSentinelMode: true }),
    };
  }
  const { host = "localhost", port = 6379, ...rest } = address;
  if (place.isCluster && (db ?? 0) !== 0) {
    throw new Failure(
      "usage",
      `a Cluster has only database 0, but the URL names ${db ?? 0}`,
      "leave it out of the URL",
    );
  }
  if (place.isCluster) return createClusterTemplate([{ host, port }], { ...rest, ...shared });
  return { ...address, ...(db === undefined ? {} : { db }), ...shared };
}

function readTls({ ca, cert, key }: NonNullable<Place["tls"]>): Record<string, Buffer> {
  return {
    ...(ca === undefined ? {} : { ca: readPem(ca) }),
    ...(cert === undefined ? {} : { cert: readPem(cert) }),
    ...(key === undefined ? {} : { key: readPem(key) }),
  };
}

/** A certificate or key. */
export function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Failure("usage", `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
