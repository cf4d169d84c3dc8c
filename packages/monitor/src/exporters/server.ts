/**
 * A small HTTP server for collectors and orchestrators: `/metrics`, `/healthz`, `/readyz`. It is independent of the
 * monitor, so that it answers even if Redis does not.
 */

import { describeThrown } from "@redis-batch/core/internal/errors";
import { type DefaultsOf, defaultsOf, type OptionsOf, OptionsReader } from "@redis-batch/core/internal/options";
import { callSafely, pause, systemClock, Warnings } from "@redis-batch/core/internal/service";
import {
  chooseFormat,
  createGuard,
  type HttpServer,
  PROMETHEUS_CONTENT_TYPES,
  startHttpServer,
} from "@redis-batch/core/web";
import { METRICS_SPEC } from "./metrics-spec.ts";
import { toPrometheus } from "./prometheus.ts";
import type { MetricsOptions, Reports } from "./samples.ts";
import { METRICS_SERVER_SPEC } from "./server-spec.ts";

export interface MetricsServerOptions extends MetricsOptions, OptionsOf<typeof METRICS_SERVER_SPEC> {}

/** The values of options that are not given. */
export const METRICS_SERVER_DEFAULTS: DefaultsOf<typeof METRICS_SERVER_SPEC> = defaultsOf(METRICS_SERVER_SPEC);

export type MetricsServer = HttpServer;

/**
 * Starts a server of `/metrics` (Prometheus' text format, or OpenMetrics by `Accept`; 503 while there is no report),
 * `/healthz` and `/readyz` (200 or 503).
 *
 * @throws {ConfigError} naming every problem of the options
 * @throws when the address is in use, or does not belong to this machine
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { host, port, ...policy } = resolveMetricsServerOptions(options);
  const warnings = new Warnings(systemClock);
  const warn = (error: unknown): void =>
    warnings.say("metricsServer", `the metrics server could not answer: ${describeThrown(error)}`);
  // An error in the error callback must not prevent the answer.
  const onError = (error: unknown): void => callSafely(policy.onError ?? warn, error, warn);
  return startHttpServer({ host, port, paths: createPaths(policy), onError });
}

type Policy = ReturnType<typeof resolveMetricsServerOptions>;

function resolveMetricsServerOptions(options: MetricsServerOptions) {
  const spec = { ...METRICS_SERVER_SPEC, ...METRICS_SPEC };
  const reader = new OptionsReader("startMetricsServer", options, Object.keys(spec));
  const {
    token = null,
    perConsumer,
    tally = [],
    ...policy
  } = reader.read(spec, {
    source: (source) => (typeof source === "function" ? undefined : "be a function that returns a report"),
  });
  return reader.finish({
    ...policy,
    guard: createGuard(token),
    metrics: { perConsumer, tally: [tally].flat() },
  });
}

/** The handler of each path. */
function createPaths({ health, metrics, guard, ...policy }: Omit<Policy, "host" | "port">) {
  const report = sharedReport(policy);
  return {
    "/metrics": guard(async ({ headers }) => {
      const reports = await report();
      if (reports === null) return { status: 503, body: "there is no report yet\n" };
      const format = chooseFormat(headers.accept);
      return {
        status: 200,
        body: toPrometheus(reports, { ...metrics, format }),
        headers: { "content-type": PROMETHEUS_CONTENT_TYPES[format], vary: "accept" },
      };
    }),
    "/healthz": async () => {
      const live = health?.().live ?? true;
      return { status: live ? 200 : 503, body: live ? "live\n" : "not live\n" };
    },
    "/readyz": async () => {
      const ready = health?.().ready ?? (await report()) !== null;
      return { status: ready ? 200 : 503, body: ready ? "ready\n" : "not ready\n" };
    },
  };
}

/** Requests that arrive while a report is being made share it. A report that hangs is given up, so that later ones can succeed. */
function sharedReport({ source, timeoutMs }: Pick<Policy, "source" | "timeoutMs">): () => Promise<Reports> {
  let running: Promise<Reports> | undefined;
  const forget = (asked: Promise<Reports>): void => {
    if (running === asked) running = undefined;
  };
  return async () => {
    running ??= Promise.resolve().then(source);
    const asked = running;
    const done = new AbortController();
    const timeout = pause(systemClock, timeoutMs, done.signal).then(() => {
      if (!done.signal.aborted) throw new Error(`the source returned no report within ${timeoutMs} ms`);
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
