/** gRPC health checks, for Kubernetes' probes. */
import type * as Grpc from "@grpc/grpc-js";

export type HealthState = "SERVING" | "NOT_SERVING";

interface HealthCheckRequest {
  readonly service: string;
}

interface HealthCheckResponse {
  readonly status: HealthState | "SERVICE_UNKNOWN";
}

type Watcher = Grpc.ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

export class HealthWatch {
  readonly #states: Map<string, HealthState>;
  readonly #watchers = new Set<Watcher>();
  #hasEnded = false;

  constructor(states: Readonly<Record<string, HealthState>>) {
    this.#states = new Map(Object.entries(states));
  }

  /** Notifies the watchers of that service of a change. */
  set(service: string, state: HealthState): void {
    if (this.#hasEnded || this.#states.get(service) === state) return;
    this.#states.set(service, state);
    for (const call of this.#watchers) if (call.request.service === service) call.write({ status: state });
  }

  /** Reports NOT_SERVING from now on. */
  end(): void {
    for (const service of this.#states.keys()) this.set(service, "NOT_SERVING");
    this.#hasEnded = true;
    for (const call of this.#watchers) call.end();
  }

  handlers(grpc: typeof Grpc): Grpc.UntypedServiceImplementation {
    const check: Grpc.handleUnaryCall<HealthCheckRequest, HealthCheckResponse> = ({ request }, callback) => {
      const status = this.#states.get(request.service);
      if (status === undefined) callback({ code: grpc.status.NOT_FOUND, details: "there is no such service" });
      else callback(null, { status });
    };
    const watch = (call: Watcher): void => {
      call.write({ status: this.#states.get(call.request.service) ?? "SERVICE_UNKNOWN" });
      if (this.#hasEnded) {
        call.end();
        return;
      }
      this.#watchers.add(call);
      const forget = (): void => void this.#watchers.delete(call);
      call.once("cancelled", forget).once("close", forget).once("error", forget);
    };
    return { Check: check, Watch: watch };
  }
}
