/**
 * KEDA's external scaler: answers with the decisions of this process's scalers. KEDA and the HorizontalPodAutoscaler
 * carry them out.
 */
import type * as Grpc from "@grpc/grpc-js";
import { parseName } from "@redis-batch/core";
import { type Clock, systemClock } from "@redis-batch/core/internal/service";
import type { Decision } from "../../decisions/decision.ts";
import type { Executor } from "../../executor.ts";
import { heedDecision, isActive, isFresh, METRIC_NAME, METRIC_SPEC, metricValue, type Standing } from "./answers.ts";
import { loadGrpc } from "./grpc.ts";
import { listen } from "./grpc-server.ts";
import { type HealthState, HealthWatch } from "./health.ts";
import {
  type KedaExecutorOptions,
  type KedaPolicy,
  type KedaScalerOptions,
  refuseSecond,
  resolveKedaExecutorOptions,
  resolveKedaOptions,
} from "./options.ts";

export interface KedaScaler extends AsyncDisposable {
  readonly port: number;
  /**
   * The executor for the scaler of one group: its decisions are the answers to KEDA's triggers for this stream and group.
   * There can be only one per group.
   *
   * @throws {ConfigError} naming every problem
   */
  executor(options: KedaExecutorOptions): Executor;
  /** Stops serving: health becomes `NOT_SERVING`, streams end, active calls get a second. May be called more than once. */
  close(): Promise<void>;
}

interface ScaledObjectRef {
  readonly scalerMetadata: Readonly<Record<string, string>>;
}

interface GetMetricsRequest {
  readonly scaledObjectRef: ScaledObjectRef | null;
  readonly metricName: string;
}

interface IsActiveResponse {
  readonly result: boolean;
}

type ActivityStream = Grpc.ServerWritableStream<ScaledObjectRef, IsActiveResponse>;

/** One group, its latest decision, and its watchers. */
interface Place {
  standing: Standing | null;
  readonly streams: Set<ActivityStream>;
  /** Cancels the timer for an outdated decision. */
  cancelAging: () => void;
}

const SERVICE = "externalscaler.ExternalScaler";
// Detects streams whose other end has disappeared silently, so that they are not kept forever.
const KEEPALIVE = { "grpc.keepalive_time_ms": 60_000, "grpc.keepalive_timeout_ms": 20_000 };

/**
 * Starts a gRPC server for KEDA's triggers `external` and `external-push`, with gRPC health checks: `""` is serving while
 * it runs, `externalscaler.ExternalScaler` while it has a fresh decision for every executor.
 *
 * @throws {ConfigError} naming every problem of the options; when `@grpc/grpc-js` or `@grpc/proto-loader` is not installed
 * @throws when the address is in use, or does not belong to this machine
 */
export async function startKedaScaler(options: KedaScalerOptions): Promise<KedaScaler>;
/** @internal */
export async function startKedaScaler(options: KedaScalerOptions, clock: Clock): Promise<KedaScaler>;
export async function startKedaScaler(options: KedaScalerOptions, clock: Clock = systemClock): Promise<KedaScaler> {
  const policy = resolveKedaOptions(options);
  const { grpc, externalScaler, health } = await loadGrpc();
  const service = new Service(grpc, policy.staleAfterMs, clock);
  const server = new grpc.Server(KEEPALIVE);
  server.addService(externalScaler, service.handlers());
  server.addService(health, service.health.handlers(grpc));
  const { host, port } = policy;
  const listening = await listen(server, { host, port, credentials: credentialsOf(grpc, policy), clock });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    service.end();
    closing ??= listening.close();
    return closing;
  };
  return {
    port: listening.port,
    executor: (wanted) => service.executor(wanted),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function credentialsOf(grpc: typeof Grpc, { tls }: KedaPolicy): Grpc.ServerCredentials {
  if (tls === null) return grpc.ServerCredentials.createInsecure();
  const pair = { cert_chain: tls.cert, private_key: tls.key };
  return grpc.ServerCredentials.createSsl(tls.clientCa, [pair], tls.clientCa !== null);
}

class Service {
  readonly health = new HealthWatch({ "": "SERVING", [SERVICE]: "NOT_SERVING" });
  readonly #grpc: typeof Grpc;
  readonly #staleAfterMs: number;
  readonly #clock: Clock;
  readonly #places = new Map<string, Place>();
  #hasEnded = false;

  constructor(grpc: typeof Grpc, staleAfterMs: number, clock: Clock) {
    this.#grpc = grpc;
    this.#staleAfterMs = staleAfterMs;
    this.#clock = clock;
  }

  executor(options: KedaExecutorOptions): Executor {
    const { stream, group, workforce } = resolveKedaExecutorOptions(options);
    const key = keyOf(stream, group);
    refuseSecond(this.#places.has(key), options);
    const place: Place = { standing: null, streams: new Set(), cancelAging: () => undefined };
    this.#places.set(key, place);
    this.#tellHealth();
    return {
      name: `keda ${stream}/${group}`,
      status: async (...given) => {
        if (workforce !== undefined) return workforce.status(...given);
        const { standing } = place;
        return standing && { desired: standing.desired, ready: null, startingMs: [], startUpsMs: [] };
      },
      onDecision: (decision) => this.#onDecision(place, decision),
      // KEDA polls for it; it was stored when it was decided.
      scale: async () => undefined,
    };
  }

  handlers(): Grpc.UntypedServiceImplementation {
    const isActiveNow: Grpc.handleUnaryCall<ScaledObjectRef, IsActiveResponse> = ({ request }, callback) => {
      this.#answer(callback, () => ({ result: isActive(this.#standing(this.#place(request))) }));
    };
    const streamIsActive = (call: ActivityStream): void => this.#open(call);
    const getMetricSpec: Grpc.handleUnaryCall<ScaledObjectRef, unknown> = ({ request }, callback) => {
      this.#answer(callback, () => {
        this.#place(request);
        return { metricSpecs: [METRIC_SPEC] };
      });
    };
    const getMetrics: Grpc.handleUnaryCall<GetMetricsRequest, unknown> = ({ request }, callback) => {
      this.#answer(callback, () => {
        const { scaledObjectRef, metricName } = request;
        const place = this.#place(scaledObjectRef);
        if (metricName !== METRIC_NAME) {
          throw this.#refusal("INVALID_ARGUMENT", `there is no metric "${metricName}", only "${METRIC_NAME}"`);
        }
        return { metricValues: [metricValue(this.#standing(place))] };
      });
    };
    return {
      IsActive: isActiveNow,
      StreamIsActive: streamIsActive,
      GetMetricSpec: getMetricSpec,
      GetMetrics: getMetrics,
    };
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.health.end();
    for (const { streams, cancelAging } of this.#places.values()) {
      cancelAging();
      for (const call of streams) call.end();
    }
  }

  #onDecision(place: Place, decision: Decision): void {
    // Its scaler may continue.
    if (this.#hasEnded) return;
    const before = place.standing;
    const standing = heedDecision(before, decision, this.#clock.nowMs());
    place.standing = standing;
    place.cancelAging();
    // By then it is no longer fresh.
    place.cancelAging = this.#clock.setTimer(this.#staleAfterMs + 1, () => this.#tellHealth());
    if (before === null || isActive(before) !== isActive(standing)) {
      for (const call of place.streams) call.write({ result: isActive(standing) });
    }
    this.#tellHealth();
  }

  #open(call: ActivityStream): void {
    let place: Place;
    try {
      place = this.#place(call.request);
    } catch (error) {
      call.emit("error", error);
      return;
    }
    const { streams, standing } = place;
    streams.add(call);
    const forget = (): void => void streams.delete(call);
    call.once("cancelled", forget).once("close", forget).once("error", forget);
    // The decision that it missed. Before the first decision there is nothing to send.
    if (standing !== null) call.write({ result: isActive(standing) });
  }

  #tellHealth(): void {
    const nowMs = this.#clock.nowMs();
    const known = [...this.#places.values()];
    const isReady = known.length > 0 && known.every(({ standing }) => isFresh(standing, this.#staleAfterMs, nowMs));
    const state: HealthState = isReady ? "SERVING" : "NOT_SERVING";
    this.health.set(SERVICE, state);
  }

  #place(ref: ScaledObjectRef | null): Place {
    const { stream, group } = ref?.scalerMetadata ?? {};
    if (!stream || !group) {
      throw this.#refusal("INVALID_ARGUMENT", "the trigger's metadata must name a stream and a group");
    }
    // Escaped as in tables, so that names with raw bytes can be given.
    const place = this.#places.get(keyOf(parseName(stream), parseName(group)));
    if (place !== undefined) return place;
    throw this.#refusal("NOT_FOUND", `there is no scaler here for the stream "${stream}" and the group "${group}"`);
  }

  /** Refuses to answer with an unknown number: KEDA would take it as zero. */
  #standing({ standing }: Place): Standing {
    if (isFresh(standing, this.#staleAfterMs, this.#clock.nowMs())) return standing;
    const why = standing === null ? "nothing has been decided yet" : "the last decision is too old";
    throw this.#refusal("UNAVAILABLE", `${why}: do not change the replicas`);
  }

  #answer<Response>(callback: Grpc.sendUnaryData<Response>, answer: () => Response): void {
    let response: Response;
    try {
      response = answer();
    } catch (error) {
      callback(error as Grpc.ServerErrorResponse);
      return;
    }
    callback(null, response);
  }

  #refusal(code: "INVALID_ARGUMENT" | "NOT_FOUND" | "UNAVAILABLE", details: string): Grpc.ServerErrorResponse {
    return Object.assign(new Error(details), { code: this.#grpc.status[code], details });
  }
}

/** Unique per pair. */
const keyOf = (stream: string, group: string): string => JSON.stringify([stream, group]);
