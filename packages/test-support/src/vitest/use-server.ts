import { afterAll, beforeAll, beforeEach, type TestContext } from "vitest";
import { findServer } from "../servers/find-server.ts";
import { RedisServer, type ServerOptions } from "../servers/redis-server.ts";

export interface UseServerOptions extends ServerOptions {
  /** The tests kill, restart or freeze the server, or look at all of it: against a shared server they are skipped. */
  readonly own?: boolean;
}

/** A server for the tests of one file or `describe`. */
export interface UsedServer {
  /** From `beforeAll` on. @throws {Error} before that, and when every test is skipped for want of an own server. */
  readonly server: RedisServer;
  /** Why there is no server for these tests; `undefined` when there is one. */
  readonly skipReason: string | undefined;
}

const SHARED_ONLY = "needs a server of its own, and REDIS_BATCH_TEST_URL names a shared one";

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
  const needsOwn = own ?? Object.keys(serverOptions).length > 0;
  let server: RedisServer | undefined;
  let skipReason: string | undefined;

  beforeAll(async () => {
    const { version, source } = serverOptions;
    const found = source ?? (await findServer(version === undefined ? {} : { version }));
    if (found.kind !== "external") server = await RedisServer.start({ ...serverOptions, source: found });
    else if (needsOwn) skipReason = SHARED_ONLY;
    else server = RedisServer.external(found.url);
  });
  beforeEach((context) => {
    if (skipReason !== undefined) context.skip(skipReason);
  });
  afterAll(async () => {
    await server?.stop();
  });

  return {
    get server() {
      if (server === undefined) throw new Error(skipReason ?? "useServer(): the server is there from beforeAll on");
      return server;
    },
    get skipReason() {
      return skipReason;
    },
  };
}

/** Skips one test, saying why, when the server is shared and the test would kill, restart or freeze it. */
export function needsOwnServer(context: Pick<TestContext, "skip">, server: RedisServer): void {
  if (server.external) context.skip(SHARED_ONLY);
}
