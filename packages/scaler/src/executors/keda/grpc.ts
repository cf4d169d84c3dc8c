/** The gRPC library and the contracts, loaded when they are needed: they are optional, and not small. */
import { fileURLToPath } from "node:url";
import type * as Grpc from "@grpc/grpc-js";
import { ConfigError } from "@redis-batch/core/internal";
import { PROTO_FOLDER } from "../../proto-folder.ts";

export interface LoadedGrpc {
  readonly grpc: typeof Grpc;
  readonly externalScaler: Grpc.ServiceDefinition;
  readonly health: Grpc.ServiceDefinition;
}

/** @throws {ConfigError} when the library is not installed */
export async function loadGrpc(): Promise<LoadedGrpc> {
  const [grpc, loader] = await Promise.all([import("@grpc/grpc-js"), import("@grpc/proto-loader")]).catch(
    (error: unknown) => {
      // Where it is required, lines follow that say by whom.
      const [why] = (error instanceof Error ? error.message : String(error)).split("\n");
      const advice = "KEDA is answered by gRPC: npm install @grpc/grpc-js @grpc/proto-loader";
      throw new ConfigError("startKedaScaler", [`${advice} (${why})`]);
    },
  );
  const load = async (file: string, service: string): Promise<Grpc.ServiceDefinition> => {
    const path = fileURLToPath(new URL(file, PROTO_FOLDER));
    const definition = await loader.load(path, { keepCase: true, longs: Number, enums: String, defaults: true });
    return definition[service] as Grpc.ServiceDefinition;
  };
  const [externalScaler, health] = await Promise.all([
    load("externalscaler.proto", "externalscaler.ExternalScaler"),
    load("health.proto", "grpc.health.v1.Health"),
  ]);
  return { grpc, externalScaler, health };
}
