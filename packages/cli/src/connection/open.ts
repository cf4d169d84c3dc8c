/** Turns the selected server into something the packages can connect to. */

import { ConfigError, ConnectionError, type RedisSource } from "@redis-batch/core";
import {
  createRedisStreamClient,
  isClusterAddress,
  parseRedisUrl,
  type StreamClient,
  sourceOfAddress,
} from "@redis-batch/core/internal/connection";
import { readPartitions } from "@redis-batch/core/internal/groups";
import { onAbort, systemClock } from "@redis-batch/core/internal/service";
import type { Invocation } from "../command.ts";
import { Failure } from "../failure.ts";
import { adviseOnConnection } from "./advice.ts";
import { chooseContext, contextsPath, readContexts } from "./contexts.ts";
import { readFilesAgain, readTls } from "./files.ts";
import { readPassword } from "./password.ts";
import { decidePlace, type Place, urlOf, withoutPassword } from "./place.ts";

type Caller = Pick<Invocation, "options" | "terminal" | "signal">;

/** The packages' `redis` option, and how long to wait for a connection. */
export interface Server {
  readonly redis: RedisSource;
  readonly connectTimeoutMs: number;
  /** Its address, without a password. */
  readonly address: string;
  /** Whether it is on this machine. */
  readonly isLocal: boolean;
  /**
   * Tells the user when there is no connection yet, and why, long before the connect timeout. The packages take it as an
   * observer, the port as `report`.
   */
  readonly observe: (event: { readonly type: string; readonly reason?: string | null }) => void;
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
    redis: readFilesAgain(sourceOf(place, password, env), place),
    connectTimeoutMs: options["connect-timeout"],
    address: withoutPassword(urlOf(place)),
    isLocal: isLocal(place),
    observe: ({ type, reason = "" }) => {
      if (type === "connectFailed") terminal.note(`no connection yet: ${reason}; retrying`, "warn");
    },
    explain: (error) => {
      // The server is not what the address says: the message has the right one.
      if (ConfigError.is(error) && error.message.startsWith("redis: ")) {
        const exit = /speaks? TLS/.test(error.message) ? "unreachable" : "usage";
        return new Failure(exit, error.message, `change the address; it comes from ${place.from}`);
      }
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
  const stopListening = endWhenSilent(client, caller.signal);
  try {
    await client.connect(["commands"], { timeoutMs: server.connectTimeoutMs, signal: caller.signal });
    return await run(client, server);
  } catch (error) {
    throw server.explain(error);
  } finally {
    stopListening();
    await client.close();
  }
}

/** The same for a command that makes sense for one partition only: it is refused where the stream has several. `whyNone`: it makes sense for none. */
export function withStream<Result>(
  call: Caller & { readonly args: { readonly stream?: string } },
  run: (client: StreamClient, server: Server) => Promise<Result>,
  whyNone?: string,
): Promise<Result> {
  return withClient(call, async (client, server) => {
    const { stream } = call.args;
    const partitions = stream === undefined ? null : await readPartitions(client, stream);
    if (partitions !== null) {
      if (whyNone !== undefined) throw new Failure("usage", `the stream "${stream}" has partitions: ${whyNone}`);
      const [first, ...others] = partitions;
      throw new Failure(
        "usage",
        `the stream "${stream}" has partitions, and each is a stream of its own`,
        `give the name of one of them: ${first} is the first${others.length === 0 ? "" : `, ${others.at(-1)} the last`}; ` +
          "`redis-batch monitor` shows all of them together",
      );
    }
    return run(client, server);
  });
}

// As services wait for a server that does not answer, when they are closed.
const SILENT_MS = 3_000;

/** Once the signal has aborted, closes the client if the server does not answer: no command is waited for any longer. */
export function endWhenSilent(client: Pick<StreamClient, "info" | "close">, signal: AbortSignal): () => void {
  let cancel = (): void => {};
  const stopListening = onAbort(signal, () => {
    cancel = systemClock.setTimer(SILENT_MS, () => void client.close());
    // Any answer is one, a refusal too.
    void client
      .info()
      .catch(() => {})
      .finally(cancel);
  });
  return () => {
    stopListening();
    cancel();
  };
}

/** Whether all of its addresses are of this machine. */
function isLocal(place: Place): boolean {
  const address = parseRedisUrl(urlOf(place));
  if (isClusterAddress(address)) return address.seeds.every(({ host }) => isLoopback(host));
  const { sentinels, host, path } = address;
  if (sentinels !== undefined && sentinels !== null) return sentinels.every((one) => isLoopback(one.host));
  return path !== undefined || isLoopback(host);
}

const isLoopback = (host: string | undefined): boolean =>
  host === undefined || /^(localhost|127(\.\d+){3}|::1|\[::1\])$/i.test(host);

/** Those of ioredis for one connection. */
type Settings = Exclude<ReturnType<typeof parseRedisUrl>, { readonly seeds: unknown }>;

function sourceOf(place: Place, password: string | undefined, env: Invocation["terminal"]["env"]): RedisSource {
  const address = parseRedisUrl(urlOf(place));
  const files = place.tls === undefined ? {} : readTls(place.tls);
  const login = { ...(place.user === undefined ? {} : { username: place.user }), ...given("password", password) };
  const withFiles = (settings: Settings): Settings => ({
    ...settings,
    ...login,
    ...(settings.tls === undefined ? {} : { tls: { ...settings.tls, ...files } }),
  });
  if (isClusterAddress(address)) return sourceOfAddress({ ...address, perNode: withFiles(address.perNode) });
  if (address.sentinels === undefined) return withFiles(address);
  return {
    ...withFiles(address),
    ...(address.sentinelTLS === undefined ? {} : { sentinelTLS: { ...address.sentinelTLS, ...files } }),
    ...given("sentinelUsername", env["REDIS_SENTINEL_USERNAME"]),
    ...given("sentinelPassword", env["REDIS_SENTINEL_PASSWORD"]),
  };
}

const given = (name: string, value: string | undefined): Record<string, string> =>
  value === undefined || value === "" ? {} : { [name]: value };
