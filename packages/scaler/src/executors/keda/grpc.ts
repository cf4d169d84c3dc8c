/** The gRPC library, loaded when it is needed: it is optional, and large. */
import type * as Grpc from "@grpc/grpc-js";
import { ConfigError } from "@redis-batch/core";
import { messageOf } from "@redis-batch/core/internal/errors";
import { type Contract, EXTERNAL_SCALER, HEALTH } from "./contracts.ts";

export interface LoadedGrpc {
  readonly grpc: typeof Grpc;
  readonly externalScaler: Grpc.ServiceDefinition;
  readonly health: Grpc.ServiceDefinition;
}

/** @throws {ConfigError} when the library is not installed */
export async function loadGrpc(): Promise<LoadedGrpc> {
  const [grpc, loader] = await Promise.all([import("@grpc/grpc-js"), import("@grpc/proto-loader")]).catch(
    (error: unknown) => {
      // With require(), more lines list the requiring modules.
      const [why] = messageOf(error).split("\n");
      const advice = "KEDA needs gRPC: npm install @grpc/grpc-js @grpc/proto-loader";
      throw new ConfigError("startKedaScaler", [`${advice} (${why})`]);
    },
  );
  const load = (contract: Contract, service: string): Grpc.ServiceDefinition => {
    const definition = loader.fromJSON(contract, { keepCase: true, longs: Number, enums: String, defaults: true });
    return definition[service] as Grpc.ServiceDefinition;
  };
  return {
    grpc,
    externalScaler: load(EXTERNAL_SCALER, "externalscaler.ExternalScaler"),
    health: load(HEALTH, "grpc.health.v1.Health"),
  };
}
