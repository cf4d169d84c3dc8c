import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { deferred } from "@redis-batch/testing/time";
import type { LogSink, ServerProcess, ServerSignal } from "./server-process.ts";

/** The part of testcontainers' StartedRedisContainer that is used here. */
interface StartedContainer {
  exec(command: string[]): Promise<{ readonly exitCode: number; readonly output: string }>;
  stop(): Promise<unknown>;
}

export interface ContainerSettings {
  readonly image: string;
  /** `redis-server` or `valkey-server`, with its arguments. */
  readonly command: readonly string[];
  /** Shared with the container under the same path: the server's files survive it. */
  readonly folder: string;
  /** Shared in the same way, to be read: certificates. */
  readonly readFolders: readonly string[];
  /** The same inside and outside, so that it survives a restart. */
  readonly port: number;
}

/**
 * A server program in a container that testcontainers starts, and its reaper removes if we do not. The program is not
 * the container's first process, because that one cannot be killed or frozen from within.
 */
export class ContainerProcess implements ServerProcess {
  readonly exited: Promise<string>;
  readonly #container: StartedContainer;
  readonly #pid: string;
  readonly #ended = deferred<string>();
  #running = true;

  private constructor(container: StartedContainer, pid: string) {
    this.#container = container;
    this.#pid = pid;
    this.exited = this.#ended.promise;
  }

  static async start(settings: ContainerSettings, log: LogSink): Promise<ContainerProcess> {
    const { RedisContainer } = await import("@testcontainers/redis");
    const { image, command, folder, readFolders, port } = settings;
    const pidPath = join(folder, "container.pid");
    const script =
      // testcontainers waits for this line; whether the server is ready is found out by asking it (see RedisServer).
      `"$@" & echo $! > "${pidPath}"; echo "Ready to accept connections"; wait`;
    const logEnded = deferred<void>();
    const container = await new RedisContainer(image)
      .withCommand(["sh", "-c", script, "sh", ...command])
      .withUser(`${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`)
      .withBindMounts([
        { source: folder, target: folder, mode: "rw" },
        ...readFolders.map((path) => ({ source: path, target: path, mode: "ro" as const })),
      ])
      .withExposedPorts({ container: port, host: port })
      .withLogConsumer((stream: Readable) => {
        stream.setEncoding("utf8").on("data", log).once("end", logEnded.resolve);
      })
      .start();
    const started = new ContainerProcess(container, (await readFile(pidPath, "utf8")).trim());
    void logEnded.promise.then(() => started.#end("the container stopped"));
    return started;
  }

  get running(): boolean {
    return this.#running;
  }

  async signal(name: ServerSignal): Promise<void> {
    if (!this.#running) return;
    // The shell's own `kill`: slim images have no program of that name.
    await this.#container.exec(["sh", "-c", `kill -${name.slice("SIG".length)} ${this.#pid}`]);
    if (name !== "SIGKILL") return;
    await this.#container.stop();
    this.#end(name);
  }

  #end(reason: string): void {
    this.#running = false;
    this.#ended.resolve(reason);
  }
}
