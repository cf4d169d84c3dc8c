/**
 * A small HTTP server for collectors and orchestrators: `/metrics`, `/healthz`, `/readyz`. It answers from outside of the
 * monitor, so that it also answers while Redis is away.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";
import { OptionsReader, pause, systemClock } from "@redis-batch/core/internal";
import { chooseFormat, PROMETHEUS_CONTENT_TYPES, toPrometheus } from "./prometheus.ts";
import type { ReportSource } from "./registry.ts";
import type { MetricsOptions, Reports } from "./samples.ts";

export interface MetricsServerOptions extends MetricsOptions {
  /** Where the reports come from: the last one of a running monitor, or a fresh one (`() => monitor.inspect()`). */
  readonly source: ReportSource;
  /** 0 to 65,535; 0 takes any free one. */
  readonly port: number;
  /** The address to listen on. Default `127.0.0.1`: only this machine can ask. `0.0.0.0` or `::` lets everybody in. */
  readonly host?: string;
  /**
   * What a client must send as `Authorization: Bearer …` to see `/metrics`. Default: nothing. `/healthz` and `/readyz`
   * stay open, because they say no more than yes or no. It travels in the clear: put TLS in front of it on a network.
   */
  readonly token?: string;
  /** What the probes answer. Default: live while the process answers, ready once the source has a report. */
  readonly health?: () => { readonly live: boolean; readonly ready: boolean };
  /** How long the source may take, in milliseconds, 100 to 600,000; 503 afterwards. Default 10,000. */
  readonly timeoutMs?: number;
  /** Told why an answer failed, which clients are not told. Default: a process warning. */
  readonly onError?: (error: unknown) => void;
}

/** The values of options that are not given. */
export const METRICS_SERVER_DEFAULTS = { host: "127.0.0.1", timeoutMs: 10_000 } as const;

export interface MetricsServer extends AsyncDisposable {
  readonly port: number;
  /** Where it listens, without a path. */
  readonly url: string;
  /** Stops listening; requests in progress get a second to end. May be called more than once. */
  close(): Promise<void>;
}

const KNOWN = [
  "source",
  "port",
  "host",
  "token",
  "health",
  "timeoutMs",
  "onError",
  "perConsumer",
  "tally",
] as const satisfies readonly (keyof MetricsServerOptions)[];

const CLOSE_GRACE_MS = 1_000;
// Far more than collectors and probes open; beyond it somebody is trying to use up our file descriptors.
const MAX_CONNECTIONS = 256;
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * Starts a server of `/metrics` (Prometheus' text format, or OpenMetrics by `Accept`; 503 while there is no report),
 * `/healthz` and `/readyz` (200 or 503).
 *
 * @throws {ConfigError} naming every problem of the options
 * @throws when the address is taken, or not this machine's
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { host, port, ...policy } = resolveMetricsServerOptions(options);
  const answer = createAnswers(policy);
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS });
  server.maxConnections = MAX_CONNECTIONS;
  server.on("request", (request, response) => {
    void answer(request).then((reply) => send(response, reply, server));
  });
  server.listen(port, host);
  await once(server, "listening");
  server.on("error", policy.onError);
  const address = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= closeServer(server));
  return {
    port: address.port,
    url: `http://${isIPv6(address.address) ? `[${address.address}]` : address.address}:${address.port}`,
    close,
    [Symbol.asyncDispose]: close,
  };
}

type Policy = ReturnType<typeof resolveMetricsServerOptions>;

function resolveMetricsServerOptions(options: MetricsServerOptions) {
  const reader = new OptionsReader("startMetricsServer", options, KNOWN);
  const { source, health, onError, perConsumer, tally = [], token } = options;
  if (typeof source !== "function") reader.problem("source must be a function that gives a report");
  for (const [name, value] of Object.entries({ health, onError })) {
    if (value !== undefined && typeof value !== "function") reader.problem(`${name} must be a function`);
  }
  if (!reader.has("port")) reader.problem("port is missing");
  // Anything else never arrives in a header as it was sent, so that nobody could get in.
  if (reader.has("token") && (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token))) {
    reader.problem("token must be printable ASCII without spaces");
  }
  return reader.finish({
    source,
    host: reader.text("host", METRICS_SERVER_DEFAULTS.host),
    port: reader.integer("port", { default: 0, min: 0, max: 65_535 }),
    tokenHash: token === undefined ? null : hash(token),
    health,
    timeoutMs: reader.integer("timeoutMs", { default: METRICS_SERVER_DEFAULTS.timeoutMs, min: 100, max: 600_000 }),
    onError: onError ?? warn,
    metrics: { perConsumer: reader.flag("perConsumer", perConsumer ?? true), tally },
  });
}

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What each path answers. Never rejects, and never says more about a fault than that there is one. */
function createAnswers(policy: Omit<Policy, "host" | "port">): (request: IncomingMessage) => Promise<Reply> {
  const { health, metrics, onError, tokenHash } = policy;
  const report = sharedReport(policy);
  const paths: Readonly<Record<string, (request: IncomingMessage) => Promise<Reply>>> = {
    "/metrics": async ({ headers }) => {
      if (!isAuthorized(headers.authorization, tokenHash)) {
        return { status: 401, body: "unauthorized\n", headers: { "www-authenticate": "Bearer" } };
      }
      const reports = await report();
      if (reports === null) return { status: 503, body: "there is no report yet\n" };
      const format = chooseFormat(headers.accept);
      return {
        status: 200,
        body: toPrometheus(reports, { ...metrics, format }),
        headers: { "content-type": PROMETHEUS_CONTENT_TYPES[format], vary: "accept" },
      };
    },
    "/healthz": async () => {
      const live = health?.().live ?? true;
      return { status: live ? 200 : 503, body: live ? "live\n" : "not live\n" };
    },
    "/readyz": async () => {
      const ready = health?.().ready ?? (await report()) !== null;
      return { status: ready ? 200 : 503, body: ready ? "ready\n" : "not ready\n" };
    },
  };
  return async (request) => {
    const [path = ""] = (request.url ?? "").split("?", 1);
    const answer = Object.hasOwn(paths, path) ? paths[path] : undefined;
    if (answer === undefined) return { status: 404, body: "there are /metrics, /healthz and /readyz\n" };
    if (request.method !== "GET" && request.method !== "HEAD") {
      return { status: 405, body: "only GET and HEAD\n", headers: { allow: "GET, HEAD" } };
    }
    try {
      return await answer(request);
    } catch (error) {
      tell(onError, error);
      return { status: 503, body: "unavailable\n" };
    }
  };
}

/** Requests that come while a report is on its way share it; one that hangs is given up, so that a later one may not. */
function sharedReport({ source, timeoutMs }: Omit<Policy, "host" | "port">): () => Promise<Reports> {
  let running: Promise<Reports> | undefined;
  const forget = (asked: Promise<Reports>): void => {
    if (running === asked) running = undefined;
  };
  return async () => {
    running ??= Promise.resolve().then(source);
    const asked = running;
    const done = new AbortController();
    const timeout = pause(systemClock, timeoutMs, done.signal).then(() => {
      if (!done.signal.aborted) throw new Error(`the source gave no report within ${timeoutMs} ms`);
      return null;
    });
    try {
      return await Promise.race([asked, timeout]);
    } finally {
      forget(asked);
      done.abort();
    }
  };
}

function send(response: ServerResponse, { status, body, headers }: Reply, server: Server): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
    ...(server.listening ? {} : { connection: "close" }),
  });
  response.end(body);
}

/** Hashes are of one length, whatever was sent, so that comparing them tells nothing by the time it takes. */
function isAuthorized(header: string | undefined, tokenHash: Buffer | null): boolean {
  if (tokenHash === null) return true;
  const sent = /^Bearer +(\S+) *$/i.exec(header ?? "")?.[1];
  return timingSafeEqual(hash(sent ?? ""), tokenHash);
}

function hash(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeIdleConnections();
  const cancel = systemClock.setTimer(CLOSE_GRACE_MS, () => server.closeAllConnections());
  await closed;
  cancel();
}

function warn(error: unknown): void {
  process.emitWarning(`the metrics server could not answer: ${String(error)}`, "RedisBatchWarning");
}

/** A fault in what is told of faults must not keep the client from its answer. */
function tell(onError: (error: unknown) => void, error: unknown): void {
  try {
    onError(error);
  } catch (fault) {
    warn(fault);
  }
}
