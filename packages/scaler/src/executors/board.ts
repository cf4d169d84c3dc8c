/** Publishes the wanted number of consumers for others to read: KEDA, Prometheus, people. */

import { describeThrown } from "@redis-batch/core/internal/errors";
import { encodeShownJson } from "@redis-batch/core/internal/names";
import { type DefaultsOf, defaultsOf, type OptionsOf, OptionsReader } from "@redis-batch/core/internal/options";
import { systemClock, Warnings } from "@redis-batch/core/internal/service";
import {
  asLabelValue,
  chooseFormat,
  createGuard,
  encodeLabels,
  type HttpServer,
  PROMETHEUS_CONTENT_TYPES,
  type PrometheusFormat,
  renderExposition,
  startHttpServer,
} from "@redis-batch/core/web";
import type { Decision } from "../decisions/decision.ts";
import type { Executor, Workforce } from "../executor.ts";
import { BOARD_SPEC, SCALE_SERVER_SPEC } from "./board-spec.ts";

export interface BoardOptions extends OptionsOf<typeof BOARD_SPEC> {}

/** The values of options that are not given. */
export const BOARD_DEFAULTS: DefaultsOf<typeof BOARD_SPEC> = defaultsOf(BOARD_SPEC);

const METRICS = [
  {
    name: "redis_batch_desired_consumers",
    type: "gauge",
    help: "Wanted number of consumers of the group",
    read: ({ desired }: Decision) => desired,
  },
  {
    name: "redis_batch_current_consumers",
    type: "gauge",
    help: "Current number of consumers of the group, or the number that was ordered",
    read: ({ current }: Decision) => current,
  },
] as const;

/**
 * An executor that only publishes the wanted number of consumers, for others to scale to: serve it with
 * `startScaleServer`, or add `toPrometheus()` to the metrics of your process. On a scaler that stands by it shows the
 * leader's decision. Active consumers are known by their heartbeats.
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
    const reader = new OptionsReader("new ScaleBoard", options, Object.keys(BOARD_SPEC));
    const { stream, group, staleMs } = reader.finish(reader.read(BOARD_SPEC));
    this.#stream = stream;
    this.#group = group;
    this.#staleMs = staleMs;
    this.#nowMs = nowMs;
  }

  /** The latest decision; `null` if there is none, or none that is still valid. */
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

  /** Does nothing: the reader carries it out. */
  async scale(): Promise<void> {}

  /**
   * `redis_batch_desired_consumers{stream,group}` and `redis_batch_current_consumers{stream,group}` in Prometheus' format;
   * `""` if there is no decision, because 0 would be one.
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

  /** For KEDA's metrics-api scaler: `{ desired, current, direction, reason, binding }`; `null` like `decision`. */
  toJSON(): object | null {
    const { decision } = this;
    if (decision === null) return null;
    const { desired, current, direction, reason, binding } = decision;
    return { v: 1, stream: this.#stream, group: this.#group, desired, current, direction, reason, binding };
  }
}

export interface ScaleServerOptions extends OptionsOf<typeof SCALE_SERVER_SPEC> {
  /** The board to serve. */
  readonly board: ScaleBoard;
}

/**
 * Starts a server of `/scale` (JSON, for KEDA's metrics-api scaler: `valueLocation: "desired"`), `/metrics` (Prometheus'
 * text format, or OpenMetrics by `Accept`), both 503 while there is no valid decision, `/healthz` and `/readyz`.
 *
 * @throws {ConfigError} naming every problem
 * @throws when the address is in use, or does not belong to this machine
 */
export async function startScaleServer(options: ScaleServerOptions): Promise<HttpServer> {
  const reader = new OptionsReader("startScaleServer", options, ["board", ...Object.keys(SCALE_SERVER_SPEC)]);
  const { board } = options;
  if (!(board instanceof ScaleBoard)) reader.problem("board must be a ScaleBoard");
  const { token = null, host, port } = reader.finish(reader.read(SCALE_SERVER_SPEC));
  const guard = createGuard(token);
  const nothing = { status: 503, body: "there is no valid decision\n" };
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
