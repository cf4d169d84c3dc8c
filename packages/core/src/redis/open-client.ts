import { type Cluster, Redis, type RedisOptions } from "ioredis";
import { backoffDelayMs } from "../decisions/backoff.ts";
import { ConfigError } from "../errors/errors.ts";
import { type Random, systemRandom } from "../service/random.ts";
import type { ConnectionRole } from "../stream-client.ts";
import { sourceOfAddress } from "./address-source.ts";
import { keepFailuresQuiet } from "./ioredis-internals/quiet-failures.ts";
import { RECONNECT } from "./reconnecting-client.ts";
import type { RedisClient } from "./redis-client.ts";
import { parseRedisUrl } from "./server-address.ts";
import type { RedisStandIn } from "./stand-in.ts";

/**
 * The Redis server: a URL, ioredis options (including Sentinel's), or an existing `Redis` or `Cluster` client of
 * ioredis 5 or 6. A URL is one of these; `rediss` instead of `redis` is TLS (`docs/connecting.md`):
 *
 * - `redis://user:password@host:6379/0`
 * - `unix:///path/to/socket`
 * - `redis+sentinel://user:password@host1:26379,host2:26379/mymaster`
 * - `redis+cluster://user:password@host1:6379,host2:6379`
 *
 * An existing client is only a template: it is duplicated with the options that the guarantees need, never used itself
 * and never closed.
 *
 * The settings are the same for each of them. Settings that the guarantees need override yours (retries, queues,
 * `reconnectOnError`, `socketTimeout`). Settings that you leave out get our defaults: `connectionName` "redis-batch",
 * `keepAlive` 30,000 ms, `disableClientInfo: true`, and with Sentinels `failoverDetector` and a `sentinelCommandTimeout`
 * of 5,000 ms. An existing client does not show whether `failoverDetector: false`, `keepAlive: 0` or
 * `disableClientInfo: false` was set or is a default, so it gets our defaults as well; pass options to keep yours.
 *
 * Options are copied when they are given: later changes have no effect. A getter among them stays a getter, and is read
 * at each connection. A connection that ends, for whatever reason, is reopened from that copy, or from the existing
 * client, which is read again. This continues until it is closed.
 *
 * In a test it can be the in-memory Redis of `@redis-batch/testing`.
 */
export type RedisSource = string | RedisOptions | LentClient | RedisStandIn;

/** Where a server is. */
export type ServerSource = Exclude<RedisSource, RedisStandIn>;

/** The parts of an ioredis client that are used, so that another major version fits as well. */
export interface LentClient {
  readonly isCluster: boolean;
  readonly options: object;
  // biome-ignore format: one line
  duplicate(...args: never[]): unknown;
}

/** The role and settings of a connection. */
export interface OpenOptions {
  readonly role: ConnectionRole;
  /** The longest time that a read on this connection blocks. */
  readonly blockMs: number;
  /** A reply is late if it takes this much longer than the command itself may block: 15 s by default. */
  readonly silenceMs?: number | undefined;
  readonly random?: Random | undefined;
}

/** Settings of all our connections, whatever the user's options; in a Cluster, of each node's connection. */
function enforcedOptions({ role, blockMs, silenceMs = 15_000 }: OpenOptions) {
  return {
    // RESP2 replies have the same shape in ioredis 5 and 6, and ioredis 6 decodes them faster.
    protocol: 2,
    replyMapping: "legacy",
    stringNumbers: false,
    // Together with the queue that is switched off below: a command is sent at once or rejected, and never sent a
    // second time. (Switching autoResendUnfulfilledCommands off instead leaves promises that never settle.)
    maxRetriesPerRequest: 0,
    // A demoted master keeps its connections: disconnect, and let the caller repeat what it refused.
    reconnectOnError: onceInAWhile((error: Error) => error.message.startsWith("READONLY")),
    maxLoadingRetryTime: 1_000,
    // Notices a half-open socket: no byte although a reply is due. The server may round a block up by 100 ms.
    socketTimeout: role === "reader" ? blockMs + silenceMs : silenceMs,
    readOnly: false,
  } as const satisfies RedisOptions;
}

/** ioredis disconnects again for each refusal, and leaves a timer and a listener: once is enough for all in flight. */
const DISCONNECTING_MS = 250;

function onceInAWhile(isReason: (error: Error) => boolean): (error: Error) => boolean {
  let lastMs = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (!isReason(error) || performance.now() - lastMs < DISCONNECTING_MS) return false;
    lastMs = performance.now();
    return true;
  };
}

const UNQUEUED = { lazyConnect: true, enableOfflineQueue: false, enableAutoPipelining: false } as const;

/** Options of the user that would break a guarantee, or be silently overridden. */
const REFUSED: Readonly<Record<string, string>> = {
  keyPrefix: "keyPrefix cannot be used: scripts and registry need the stream's real name; put the prefix into `stream`",
  commandTimeout:
    "commandTimeout cannot be used: it gives up on commands that the server still executes, so messages get lost",
  blockingTimeout: "blockingTimeout cannot be used: it drops replies that contain messages",
};

/** A Sentinel that does not answer for this long is skipped. ioredis would wait for a frozen one forever. */
const SENTINEL_REPLY_MS = 5_000;

/**
 * Creates a client for one role. Does no I/O.
 *
 * @throws {ConfigError} when the source cannot be used
 */
export function openClient(source: ServerSource, options: OpenOptions): RedisClient {
  const { random = systemRandom } = options;
  const enforced = enforcedOptions(options);
  // Reconnects forever.
  const reconnect = (attempt: number): number => backoffDelayMs(attempt, RECONNECT, random);
  const own = typeof source === "string" ? sourceOfAddress(parseRedisUrl(source)) : source;
  if (isLentClient(own)) {
    refuse(own.options);
    // Perhaps of another major version: the parts that are used are the same in both.
    const client = own as LentClient & (Redis | Cluster);
    if (isClusterClient(client)) return quiet(duplicateCluster(client, enforced, reconnect));
    const { options: lent } = client;
    return quiet(client.duplicate({ ...lentDefaults(lent), ...enforced, ...UNQUEUED, retryStrategy: reconnect }));
  }
  if (typeof own !== "object" || own === null) {
    throw new ConfigError("redis", ["expected a URL, ioredis options, or an ioredis client"]);
  }
  refuse(own);
  return quiet(new Redis({ ...defaultOptions(own), ...own, ...enforced, ...UNQUEUED, retryStrategy: reconnect }));
}

function quiet<Client extends RedisClient>(client: Client): Client {
  keepFailuresQuiet(client);
  return client;
}

/**
 * A copy of the `redis` option. Getters are kept, and so is everything that is not a plain object or array: a Buffer, a
 * secure context, an existing client.
 */
export function copySource(source: ServerSource): ServerSource {
  return typeof source === "string" || isLentClient(source) ? source : copyOf(source);
}

function copyOf<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(copyOf) as Value;
  if (!isPlainObject(value)) return value;
  const properties = Object.getOwnPropertyDescriptors(value);
  for (const property of Object.values(properties)) {
    if ("value" in property) property.value = copyOf(property.value as unknown);
  }
  return Object.create(Object.getPrototypeOf(value) as object | null, properties) as Value;
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

function defaultOptions(options: RedisOptions) {
  return {
    connectionName: "redis-batch",
    keepAlive: 30_000,
    // CLIENT SETINFO: Redis 7.0 cannot grant it, and later servers log each refusal.
    disableClientInfo: true,
    ...(isBySentinel(options)
      ? {
          // Without it a client stays on a demoted master until that closes the connection: ten seconds of lost writes.
          failoverDetector: true,
          sentinelCommandTimeout: SENTINEL_REPLY_MS,
        }
      : {}),
  } as const satisfies RedisOptions;
}

/** Our defaults for settings that an existing client has left at the defaults of ioredis. */
function lentDefaults(lent: RedisOptions): RedisOptions {
  const defaults = defaultOptions(lent);
  return {
    ...defaults,
    connectionName: lent.connectionName ?? defaults.connectionName,
    keepAlive: lent.keepAlive || defaults.keepAlive,
    ...(isBySentinel(lent) ? { sentinelCommandTimeout: lent.sentinelCommandTimeout ?? SENTINEL_REPLY_MS } : {}),
  };
}

function isBySentinel({ sentinels }: RedisOptions): boolean {
  return sentinels !== undefined && sentinels !== null;
}

function duplicateCluster(
  cluster: Cluster,
  enforced: ReturnType<typeof enforcedOptions>,
  reconnect: (attempt: number) => number,
): Cluster {
  const perNode = cluster.options.redisOptions ?? {};
  refuse(perNode);
  return cluster.duplicate([], {
    ...UNQUEUED,
    // Without it a Cluster rejects all but the first command for a node that it has not connected to yet, as if the
    // connection had failed. Queued commands are sent once, or rejected if the node cannot be reached.
    enableOfflineQueue: true,
    scaleReads: "master",
    // It asks any master, and waits for a frozen one without a limit. A Cluster that is down refuses commands itself.
    enableReadyCheck: false,
    clusterRetryStrategy: reconnect,
    // A node that keeps connecting would hide that another one has taken its place.
    clusterNodeRetryStrategy: null,
    maxRedirections: 16,
    // Above 0, a Cluster would resend commands whose outcome is unknown, or keep them where they cannot be rejected.
    retryDelayOnFailover: 0,
    retryDelayOnMoved: 0,
    // The user's settings for the nodes (TLS, passwords) stay; ours override them.
    redisOptions: { ...defaultOptions(perNode), ...perNode, ...enforced },
  });
}

function isClusterClient(client: Redis | Cluster): client is Cluster {
  return client.isCluster;
}

function refuse(options: object): void {
  const problems = Object.entries(REFUSED)
    .filter(([name]) => {
      const value = (options as Readonly<Record<string, unknown>>)[name];
      return value !== undefined && value !== null && value !== "";
    })
    .map(([, sentence]) => sentence);
  if (problems.length > 0) throw new ConfigError("redis", problems);
}

export function isLentClient(source: ServerSource): source is LentClient {
  return (
    typeof source === "object" && source !== null && "duplicate" in source && typeof source.duplicate === "function"
  );
}
