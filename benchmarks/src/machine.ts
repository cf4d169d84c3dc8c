/** What a run was made on. */
import { createRequire } from "node:module";
import { availableParallelism, cpus, totalmem } from "node:os";
import type { RedisServer } from "@redis-batch/test-support";

export interface Machine {
  readonly processors: number;
  readonly model: string;
  readonly memoryGiB: number;
  readonly node: string;
  readonly server: string;
  readonly ioredis: string;
  readonly bullmq: string;
}

export async function describeMachine(server: RedisServer): Promise<Machine> {
  const info = await server.info("server");
  const valkey = info["valkey_version"];
  return {
    processors: availableParallelism(),
    model: cpus()[0]?.model.trim() ?? "unknown",
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    server: valkey === undefined ? `Redis ${info["redis_version"]}` : `Valkey ${valkey}`,
    ioredis: versionOf("ioredis"),
    bullmq: versionOf("bullmq"),
  };
}

function versionOf(name: string): string {
  const manifest = createRequire(import.meta.url)(`${name}/package.json`) as { readonly version: string };
  return manifest.version;
}
