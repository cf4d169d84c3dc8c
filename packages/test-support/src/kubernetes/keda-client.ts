/** A client of the external scaler, like KEDA: by the contract's file, over a real connection. */
import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { EventRecorder } from "@redis-batch/testing/time";

// Where the scaler publishes them.
const contract = (file: string): PackageDefinition =>
  loadSync(fileURLToPath(new URL(`../../../scaler/proto/${file}`, import.meta.url)), {
    keepCase: true,
    longs: Number,
    enums: String,
  });
export const EXTERNAL_SCALER = contract("externalscaler.proto");
const HEALTH = contract("health.proto");

const clientOf = (definition: PackageDefinition, service: string) =>
  grpc.makeClientConstructor(definition[service] as grpc.ServiceDefinition, service);
const Scaler = clientOf(EXTERNAL_SCALER, "externalscaler.ExternalScaler");
const Health = clientOf(HEALTH, "grpc.health.v1.Health");

export interface Ref {
  readonly name: string;
  readonly namespace: string;
  readonly scalerMetadata: Readonly<Record<string, string>>;
}

/** The messages of a stream, in order. */
export type Pushed =
  | { readonly type: "pushed"; readonly value: unknown }
  | { readonly type: "ended"; readonly code: number };

export class KedaClient {
  readonly #scaler: grpc.Client;
  readonly #health: grpc.Client;

  constructor(address: string, credentials: grpc.ChannelCredentials = grpc.credentials.createInsecure()) {
    this.#scaler = new Scaler(address, credentials);
    this.#health = new Health(address, credentials);
  }

  isActive = (ref: Ref): Promise<unknown> => unary(this.#scaler, "IsActive", ref);
  getMetricSpec = (ref: Ref): Promise<unknown> => unary(this.#scaler, "GetMetricSpec", ref);
  getMetrics = (ref: Ref, metricName = "desired_consumers"): Promise<unknown> =>
    unary(this.#scaler, "GetMetrics", { scaledObjectRef: ref, metricName });
  streamIsActive = (ref: Ref): Stream => stream(this.#scaler, "StreamIsActive", ref);
  check = (service: string): Promise<unknown> => unary(this.#health, "Check", { service });
  watch = (service: string): Stream => stream(this.#health, "Watch", { service });

  close(): void {
    this.#scaler.close();
    this.#health.close();
  }
}

export interface Stream {
  readonly pushes: EventRecorder<Pushed>;
  cancel(): void;
}

type Method = (request: unknown, ...rest: unknown[]) => unknown;

function methodOf(client: grpc.Client, name: string): Method {
  return (client as unknown as Readonly<Record<string, Method>>)[name]?.bind(client) as Method;
}

function unary(client: grpc.Client, name: string, request: unknown): Promise<unknown> {
  const deadline = Date.now() + 10_000;
  return new Promise((resolve, reject) => {
    methodOf(client, name)(request, { deadline }, (error: grpc.ServiceError | null, response: unknown) => {
      if (error) reject(error);
      else resolve(response);
    });
  });
}

function stream(client: grpc.Client, name: string, request: unknown): Stream {
  const pushes = new EventRecorder<Pushed>();
  const call = methodOf(client, name)(request) as grpc.ClientReadableStream<unknown>;
  call.on("data", (value: unknown) => pushes.observe({ type: "pushed", value }));
  call.on("error", () => undefined);
  call.on("status", ({ code }: grpc.StatusObject) => pushes.observe({ type: "ended", code }));
  return { pushes, cancel: () => call.cancel() };
}
