import { existsSync } from "node:fs";
import { request } from "node:http";
import { homedir } from "node:os";
import { join } from "node:path";
import { deferred } from "@redis-batch/testing/time";

const PING_LIMIT_MS = 2_000;

/**
 * Says why containers cannot be used on this machine; `undefined` when they can.
 *
 * Looks before it loads: testcontainers takes most of a second to import, on every worker, even to say "no Docker".
 */
export async function whyNoDocker(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const engine = env["DOCKER_HOST"];
  if (engine !== undefined && !engine.startsWith("unix://")) {
    return "the engine of DOCKER_HOST is not on this machine, so a server's folder cannot be shared with it";
  }
  const sockets = engine === undefined ? localSockets(env) : [engine.slice("unix://".length)];
  const socket = sockets.find((path) => existsSync(path));
  if (socket === undefined) return "no Docker engine is listening";
  if (!(await answersPing(socket))) return `the Docker engine at ${socket} does not answer`;
  try {
    await import("@testcontainers/redis");
    return undefined;
  } catch (cause) {
    return `@testcontainers/redis cannot be loaded (${cause instanceof Error ? cause.message : String(cause)})`;
  }
}

function localSockets(env: NodeJS.ProcessEnv): string[] {
  const runtimeFolder = env["XDG_RUNTIME_DIR"];
  return [
    "/var/run/docker.sock",
    ...(runtimeFolder === undefined ? [] : [join(runtimeFolder, "docker.sock")]),
    join(homedir(), ".docker", "run", "docker.sock"),
    join(homedir(), ".docker", "desktop", "docker.sock"),
  ];
}

function answersPing(socketPath: string): Promise<boolean> {
  const { promise, resolve } = deferred<boolean>();
  const ping = request({ socketPath, path: "/_ping", timeout: PING_LIMIT_MS }, (response) => {
    response.resume();
    resolve(response.statusCode === 200);
  });
  ping.once("timeout", () => ping.destroy());
  ping.once("error", () => resolve(false));
  ping.once("close", () => resolve(false));
  ping.end();
  return promise;
}
