import { afterAll, beforeAll, beforeEach, type TestContext } from "vitest";
import { findServer, type ServerSource } from "../servers/find-server.ts";
import type { ServerOptions } from "../servers/own-server.ts";
import { RedisServer } from "../servers/redis-server.ts";
import { type ServerNeed, whyUnfit } from "./server-need.ts";

export interface UseServerOptions extends ServerOptions {
  /** The tests kill, restart or freeze the server, or look at all of it: against a shared server they are skipped. */
  readonly own?: boolean;
}

/** A server for the tests of one file or `describe`. */
export interface UsedServer {
  /** From `beforeAll` on. @throws {Error} before that, and when every test is skipped because there is no own server. */
  readonly server: RedisServer;
  /** Why there is no server for these tests; `undefined` when there is one. */
  readonly skipReason: string | undefined;
}

/**
 * Gives the tests of this file (or `describe`) a server: their own, started before the first of them and stopped after
 * the last, or the shared one of REDIS_BATCH_TEST_URL. Where that one will not do (`own`, or any option that says how
 * the server is to be started), the tests are skipped and say why.
 *
 * @example
 * const redis = useServer();
 * test("counts its entries", async () => {
 *   const stream = uniqueName("orders");
 *   await redis.server.command("XADD", stream, "*", "amount", 12);
 *   expect(await redis.server.command("XLEN", stream)).toBe(1);
 * });
 */
export function useServer(options: UseServerOptions = {}): UsedServer {
  const { own, ...serverOptions } = options;
  const { version, source } = serverOptions;
  const need = (own ?? Object.keys(serverOptions).length > 0) ? "own" : "any";
  const find = async () => source ?? (await findServer(version === undefined ? {} : { version }));
  const used = useStarted(need, find, async (found) =>
    found.kind === "external"
      ? RedisServer.external(found.url)
      : RedisServer.start({ ...serverOptions, source: found }),
  );
  return {
    get server() {
      return used.started();
    },
    get skipReason() {
      return used.skipReason();
    },
  };
}

/** What {@link useServers} started. */
export interface UsedServers<T> {
  /** From `beforeAll` on. @throws {Error} before that, and when every test is skipped. */
  readonly servers: T;
  readonly skipReason: string | undefined;
}

/**
 * Gives the tests of this file (or `describe`) several servers that belong together; they are stopped after the last
 * test. Where only a shared server or containers are available, the tests are skipped and say why.
 *
 * @example
 * const cluster = useServers((source) => startCluster({ source }));
 */
export function useServers<T extends AsyncDisposable>(start: (source: ServerSource) => Promise<T>): UsedServers<T> {
  const used = useStarted("several", () => findServer(), start);
  return {
    get servers() {
      return used.started();
    },
    get skipReason() {
      return used.skipReason();
    },
  };
}

/** Skips one test, saying why, when the server is shared and the test would kill, restart or freeze it. */
export function needsOwnServer(context: Pick<TestContext, "skip">, server: RedisServer): void {
  const reason = server.external ? whyUnfit({ kind: "external", url: server.url }, "own") : undefined;
  if (reason !== undefined) context.skip(reason);
}

/**
 * Says that the tests of this file (or `describe`) start their servers themselves: where only a shared server is
 * available (for `several` also: only containers), they are skipped and say why.
 */
export function ownServersOnly(need: "own" | "several" = "own"): void {
  skipUnlessFit(
    need,
    () => findServer(),
    async () => undefined,
  );
}

function useStarted<T extends AsyncDisposable>(
  need: ServerNeed,
  find: () => Promise<ServerSource>,
  start: (source: ServerSource) => Promise<T>,
): { started(): T; skipReason(): string | undefined } {
  let started: T | undefined;
  const skipReason = skipUnlessFit(need, find, async (source) => {
    started = await start(source);
  });
  afterAll(async () => {
    await started?.[Symbol.asyncDispose]();
  });
  return {
    started() {
      if (started === undefined) throw new Error(skipReason() ?? "a test's server is there from beforeAll on");
      return started;
    },
    skipReason,
  };
}

/** Registers the hooks that find a suitable server, or skip every test. Returns the reason. */
function skipUnlessFit(
  need: ServerNeed,
  find: () => Promise<ServerSource>,
  whenFit: (source: ServerSource) => Promise<void>,
): () => string | undefined {
  let skipReason: string | undefined;
  beforeAll(async () => {
    const source = await find();
    skipReason = whyUnfit(source, need);
    if (skipReason === undefined) await whenFit(source);
  });
  beforeEach((context) => {
    if (skipReason !== undefined) context.skip(skipReason);
  });
  return () => skipReason;
}
