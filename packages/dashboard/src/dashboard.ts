/** Makes a dashboard: its connection, the looks at the streams, and the handlers that answer requests. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { createRedisStreamClient, SharedConnection } from "@redis-batch/core/internal/connection";
import { createNotifier, systemClock, warningObserver } from "@redis-batch/core/internal/service";
import { AuditLog } from "./actions/audit-log.ts";
import { GroupActions } from "./actions/group-actions.ts";
import { Plans } from "./actions/plans.ts";
import { createApp } from "./app.ts";
import type { DashboardEvent } from "./events.ts";
import { type DashboardOptions, type DashboardPolicy, resolveDashboardOptions } from "./options.ts";
import { Watcher } from "./watch/watcher.ts";

/** A dashboard, to be mounted in a server. */
export interface Dashboard extends AsyncDisposable {
  /** Answers a request: for Hono, Bun, Deno, and whatever else knows the `Request` and `Response` of the web. */
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** Answers a request of Node's `http`: for `createServer`, Express' `app.use`, Fastify, Nest. */
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
  /**
   * Begins to look at the streams, so that charts have data when somebody comes. The first request for data does it as
   * well. Does not wait for the connection. Idempotent.
   */
  start(): void;
  /** Ends what is open, stops to look, and closes the connection. Idempotent. */
  close(): Promise<void>;
}

/**
 * Makes a dashboard to mount in a server of your own. Does no I/O before the first request or `start()`. Without `tokens`
 * or a `userHeader` it answers only requests to this machine, and without `allowActions` it only shows.
 *
 * @throws {ConfigError} naming every wrong option
 *
 * @example
 * ```ts no-run
 * const dashboard = createDashboard({ redis: "redis://localhost:6379", prefix: "/queues" });
 * createServer(dashboard.handler).listen(3000, "localhost");
 * ```
 */
export function createDashboard(options: DashboardOptions): Dashboard {
  return openDashboard(resolveDashboardOptions(options));
}

export function openDashboard(policy: DashboardPolicy): Dashboard {
  const { redis, credentials, auditLength } = policy;
  const observer = policy.observer ?? warningObserver("dashboard", describeProblem, systemClock);
  const report = createNotifier<DashboardEvent>("dashboard", observer);
  const ending = new AbortController();
  const connection = new SharedConnection((tell) =>
    createRedisStreamClient({
      ...{ redis, credentials, blockMs: 0 },
      report: (event) => {
        tell(event);
        if (ending.signal.aborted) return;
        if (event.type === "connected") return report({ type: "connected" });
        report({ type: event.type, reason: event.reason });
        watcher.tellLost(event.reason);
      },
    }),
  );
  const { client } = connection;
  const watcher: Watcher = new Watcher({ connection, policy, report });
  const audit = new AuditLog(client, auditLength);
  const plans = new Plans({ client, source: connection.source, audit, report });
  const groupActions = new GroupActions({ client, source: connection.source, audit, report });
  let running: Promise<void> | undefined;
  const start = (): void => {
    if (!ending.signal.aborted) running ??= watcher.run(ending.signal);
  };
  const app = createApp({
    policy,
    client,
    watcher,
    plans,
    groupActions,
    report,
    signal: ending.signal,
    onVisit: start,
  });
  const answer = (request: Request, env?: object): Response | Promise<Response> => app.fetch(request, env);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      ending.abort();
      await Promise.all([running, plans.close()]);
      await client.close();
      report({ type: "closed" });
    })());
  const listener = getRequestListener(answer, { overrideGlobalObjects: false });
  return {
    fetch: (request) => answer(request),
    handler(request, response) {
      const place = missingSlash(request);
      if (place === null) return void listener(request, response);
      response.writeHead(302, { location: place }).end();
    },
    ...{ start, close, [Symbol.asyncDispose]: close },
  };
}

/** Where to go when Express has mounted us and the address has no slash at its end; `null` if it has one. */
function missingSlash(request: IncomingMessage & { readonly originalUrl?: string }): string | null {
  const { url = "/", originalUrl = url } = request;
  const [path = ""] = originalUrl.split("?", 1);
  return url.split("?", 1)[0] === "/" && originalUrl !== url && !path.endsWith("/") ? `${path}/` : null;
}

/** What a dashboard without an observer warns of. */
function describeProblem(event: DashboardEvent): string | undefined {
  if (event.type === "connectFailed") return `cannot connect, retrying: ${event.reason}`;
  if (event.type === "lookFailed") return `could not look at the streams, retrying: ${event.error.message}`;
  if (event.type === "requestFailed") return `could not answer ${event.path}: ${event.error.message}`;
  return undefined;
}
