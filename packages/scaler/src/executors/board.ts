/** What a scaler wants, for those that ask instead of being told: KEDA, Prometheus, people. */
import { describeThrown, encodeShownJson, OptionsReader, systemClock, Warnings } from "@redis-batch/core/internal";
import {
  asLabelValue,
  chooseFormat,
  createGuard,
  encodeLabels,
  type HttpServer,
  PROMETHEUS_CONTENT_TYPES,
  type PrometheusFormat,
  readToken,
  renderExposition,
  startHttpServer,
} from "@redis-batch/core/web";
import type { Decision } from "../decisions/decision.ts";
import type { Executor, Workforce } from "../executor.ts";

export interface BoardOptions {
  /** The stream's key, as it is to be called. */
  readonly stream: string;
  /** The consumer group. */
  readonly group: string;
  /**
   * How long a decision holds, in milliseconds, 1,000 to 3,600,000. Default 60,000. What is older is not shown: nobody
   * shall go by it, and KEDA's fallback and Prometheus' alerts see that there is nothing.
   */
  readonly staleMs?: number | undefined;
}

/** The values of options that are not given. */
export const BOARD_DEFAULTS = { staleMs: 60_000 } as const;

const METRICS = [
  {
    name: "redis_batch_desired_consumers",
    type: "gauge",
    help: "Consumers the group shall have",
    read: ({ desired }: Decision) => desired,
  },
  {
    name: "redis_batch_current_consumers",
    type: "gauge",
    help: "Consumers the group has, or that were ordered",
    read: ({ current }: Decision) => current,
  },
] as const;

/**
 * An executor that only shows what is wanted. Whoever reads it carries it out: serve it with `startScaleServer`, or
 * put `toPrometheus()` into the metrics of your process. On a scaler that follows another one it shows what that one
 * wants. Who works is told by the heartbeats.
 *
 * @throws {ConfigError} naming every problem
 */
export class ScaleBoard implements Executor {
  readonly name = "board";
  readonly #stream: string;
  readonly #group: string;
  readonly #staleMs: number;
  readonly #nowMs: () => number;
  #shown: { readonly decision: Decision; readonly atMs: number } | null = null;
  #ordered: number | null = null;

  constructor(options: BoardOptions);
  /** @internal */
  constructor(options: BoardOptions, nowMs: () => number);
  constructor(options: BoardOptions, nowMs: () => number = () => systemClock.nowMs()) {
    const reader = new OptionsReader("new ScaleBoard", options, ["stream", "group", "staleMs"]);
    const { stream, group, staleMs } = reader.finish({
      stream: reader.name("stream"),
      group: reader.name("group"),
      staleMs: reader.integer("staleMs", { default: BOARD_DEFAULTS.staleMs, min: 1_000, max: 3_600_000 }),
    });
    this.#stream = stream;
    this.#group = group;
    this.#staleMs = staleMs;
    this.#nowMs = nowMs;
  }

  /** The latest decision; `null` where there is none, or none that still holds. */
  get decision(): Decision | null {
    const isFresh = this.#shown !== null && this.#nowMs() - this.#shown.atMs <= this.#staleMs;
    return isFresh ? (this.#shown?.decision ?? null) : null;
  }

  async status(): Promise<Workforce | null> {
    return this.#ordered === null ? null : { desired: this.#ordered, ready: null, startingMs: [], startUpsMs: [] };
  }

  onDecision(decision: Decision): void {
    this.#shown = { decision, atMs: this.#nowMs() };
    this.#ordered = decision.desired;
  }

  /** Whoever reads it, does it. */
  async scale(): Promise<void> {}

  /**
   * `redis_batch_desired_consumers{stream,group}` and `redis_batch_current_consumers{stream,group}` as Prometheus reads
   * them; `""` where there is no decision: never 0, which would be one.
   */
  toPrometheus({ format = "text" }: { readonly format?: PrometheusFormat } = {}): string {
    const { decision } = this;
    const labels = encodeLabels(["stream", "group"], [this.#stream, this.#group].map(asLabelValue));
    const families = METRICS.map(({ read, ...metric }) => ({
      metric,
      samples: decision === null ? [] : [{ labels, value: read(decision) }],
    }));
    return renderExposition(families, format);
  }

  /** What KEDA's metrics-api scaler reads: `{ desired, current, direction, reason, binding }`; `null` as `decision`. */
  toJSON(): object | null {
    const { decision } = this;
    if (decision === null) return null;
    const { desired, current, direction, reason, binding } = decision;
    return { v: 1, stream: this.#stream, group: this.#group, desired, current, direction, reason, binding };
  }
}

export interface ScaleServerOptions {
  readonly board: ScaleBoard;
  /** 0 to 65,535; 0 takes any free one. */
  readonly port: number;
  /** The address to listen on. Default `127.0.0.1`: only this machine can ask. `0.0.0.0` or `::` lets everybody in. */
  readonly host?: string | undefined;
  /**
   * What a client must send as `Authorization: Bearer …`. Default: nothing. `/healthz` and `/readyz` stay open. It travels
   * in the clear: put TLS in front of it on a network.
   */
  readonly token?: string | undefined;
}

/**
 * Starts a server of `/scale` (JSON, for KEDA's metrics-api scaler: `valueLocation: "desired"`), `/metrics` (Prometheus'
 * text format, or OpenMetrics by `Accept`), both 503 while there is no decision that holds, `/healthz` and `/readyz`.
 *
 * @throws {ConfigError} naming every problem
 * @throws when the address is taken, or not this machine's
 */
export async function startScaleServer(options: ScaleServerOptions): Promise<HttpServer> {
  const reader = new OptionsReader("startScaleServer", options, ["board", "port", "host", "token"]);
  const { board } = options;
  if (!(board instanceof ScaleBoard)) reader.problem("board must be a ScaleBoard");
  if (!reader.has("port")) reader.problem("port is missing");
  const guard = createGuard(readToken(reader, options.token));
  const { host, port } = reader.finish({
    host: reader.text("host", "127.0.0.1"),
    port: reader.integer("port", { default: 0, min: 0, max: 65_535 }),
  });
  const nothing = { status: 503, body: "there is no decision that holds\n" };
  const paths = {
    "/scale": guard(async () => {
      const shown = board.toJSON();
      const headers = { "content-type": "application/json" };
      return shown === null ? nothing : { status: 200, body: `${encodeShownJson(shown)}\n`, headers };
    }),
    "/metrics": guard(async (request) => {
      if (board.decision === null) return nothing;
      const format = chooseFormat(request.headers.accept);
      const headers = { "content-type": PROMETHEUS_CONTENT_TYPES[format], vary: "accept" };
      return { status: 200, body: board.toPrometheus({ format }), headers };
    }),
    "/healthz": async () => ({ status: 200, body: "live\n" }),
    "/readyz": async () =>
      board.decision === null ? { status: 503, body: "not ready\n" } : { status: 200, body: "ready\n" },
  };
  const warnings = new Warnings(systemClock);
  const onError = (error: unknown): void =>
    warnings.say("scaleServer", `the scale server could not answer: ${describeThrown(error)}`);
  return startHttpServer({ host, port, paths, onError });
}
