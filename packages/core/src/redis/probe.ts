/** One short connection that finds out what answers at an address. ioredis' own connections do not tell why they failed. */
import { type ConnectionOptions, connect } from "node:tls";
import { Redis, type RedisOptions } from "ioredis";
import { messageOf } from "../errors/thrown.ts";
import { refusedCommand } from "./ioredis-internals/error-details.ts";
import { type Ask, askKind, type ServerKind } from "./server-kind.ts";

/** How long each step may take: to connect, and to answer one question. */
const STEP_MS = 1_000;

export interface Finding {
  /** `null` if the server does not tell its kind, or cannot be reached. */
  readonly kind: ServerKind | null;
  /** The first error, if there was any: of the network, of TLS, or a refusal of user and password. */
  readonly error: unknown;
  /** Whether it answered at all, even if only with a refusal. */
  readonly isAnswered: boolean;
  /** Whether a socket could be opened; with TLS, after its handshake. */
  readonly isConnected: boolean;
}

/** Opens a connection, and closes it when `then` has asked what it wants to know. Rejects only if `then` does, or `signal` has aborted. */
export async function probe<Result>(
  options: RedisOptions,
  signal: AbortSignal,
  then: (finding: Finding, ask: Ask) => Promise<Result> | Result,
): Promise<Result> {
  const client = new Redis({
    ...options,
    // Each step once, and nothing else: a user may have no right to it.
    ...{
      lazyConnect: true,
      retryStrategy: null,
      reconnectOnError: null,
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
    },
    ...{ connectTimeout: STEP_MS, commandTimeout: STEP_MS, disableClientInfo: true, connectionName: undefined },
    ...{ sentinels: undefined, failoverDetector: false, db: 0, protocol: 2, replyMapping: "legacy", keyPrefix: "" },
  });
  let [error, isConnected]: [unknown, boolean] = [undefined, false];
  const end = (): void => client.disconnect();
  signal.addEventListener("abort", end);
  client.on("error", (reason) => {
    error ??= reason;
  });
  client.on("connect", () => {
    isConnected = true;
  });
  const ask: Ask = (command, ...args) => client.callBuffer(command, ...args);
  const first: Ask = async (command) => {
    try {
      return await ask(command);
    } catch (refusal) {
      error ??= refusal;
      throw refusal;
    }
  };
  try {
    signal.throwIfAborted();
    const kind = await client.connect().then(
      () => askKind(first),
      (failure: unknown) => {
        error ??= failure;
        return null;
      },
    );
    const isAnswered = kind !== null || refusedCommand(error) !== undefined;
    return await then({ kind, error, isConnected, isAnswered }, ask);
  } finally {
    signal.removeEventListener("abort", end);
    client.disconnect();
  }
}

/** Whether the other side speaks TLS although these options do not, or the other way round. */
export async function isOtherProtocol(options: RedisOptions, failed: Finding, signal: AbortSignal): Promise<boolean> {
  if (failed.isAnswered || CERTAIN.test(messageOf(failed.error))) return false;
  const { tls, ...plain } = options;
  if (tls !== undefined) return probe(plain, signal, ({ isAnswered }) => isAnswered);
  return probe({ ...plain, tls: { rejectUnauthorized: false } }, signal, ({ isConnected, error }) => {
    return isConnected || /\balert\b/.test(messageOf(error));
  });
}

/**
 * Why the server ended a TLS connection right after the handshake, by its own words. Sends nothing: a write that fails
 * hides them. `undefined` if it says nothing.
 */
export function tlsRefusal({ host, port, path, tls }: RedisOptions, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    const place = path ? { path } : { host: host ?? "localhost", port: port ?? 6379 };
    const socket = connect({ ...place, ...(tls as ConnectionOptions), timeout: STEP_MS });
    const finish = (error?: unknown): void => {
      signal.removeEventListener("abort", abort);
      socket.destroy();
      resolve(error);
    };
    const abort = (): void => finish();
    signal.addEventListener("abort", abort);
    socket.on("error", finish).on("timeout", abort).on("close", abort);
  });
}

/** Failures that have nothing to do with TLS, or come from its middle. */
const CERTAIN = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT|EACCES|certificate|altnames|alert/i;
