import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { deferred } from "@redis-batch/testing/time";
import { beforeAll, expect, test, vi } from "vitest";
import { findServer, ownServersOnly, RedisServer, type ServerSource } from "../src/index.ts";
import { roundTrip } from "../src/wire/round-trip.ts";

/**
 * Stands in for Docker where there is none: the "container" is a process of this machine, started by the same command
 * with the same shared folders. What testcontainers and Docker themselves do is not tested here.
 */
class FakeContainer {
  static programs = "";
  readonly shared: { source: string; target: string; mode?: string }[] = [];
  readonly ports: unknown[] = [];
  user = "";
  #command: string[] = [];
  #consume: (stream: Readable) => unknown = () => undefined;
  #process: ChildProcess | undefined;

  readonly image: string;
  constructor(image: string) {
    this.image = image;
  }
  withCommand(command: string[]): this {
    this.#command = command;
    return this;
  }
  withUser(user: string): this {
    this.user = user;
    return this;
  }
  withBindMounts(mounts: { source: string; target: string; mode?: string }[]): this {
    this.shared.push(...mounts);
    return this;
  }
  withExposedPorts(...ports: unknown[]): this {
    this.ports.push(...ports);
    return this;
  }
  withLogConsumer(consume: (stream: Readable) => unknown): this {
    this.#consume = consume;
    return this;
  }

  async start(): Promise<this> {
    started.push(this);
    const [program = "", ...args] = this.#command;
    const env = { ...process.env, PATH: `${FakeContainer.programs}:${process.env["PATH"]}` };
    const container = spawn(program, args, { env, stdio: ["ignore", "pipe", "ignore"] });
    this.#process = container;
    const log = new PassThrough();
    this.#consume(log);
    // As testcontainers does: ready is what the log says.
    const { promise, resolve } = deferred<void>();
    container.stdout.on("data", (piece: Buffer) => {
      log.write(piece);
      if (piece.includes("Ready to accept connections")) resolve();
    });
    container.stdout.once("end", () => log.end());
    await promise;
    return this;
  }
  async exec(command: string[]): Promise<{ exitCode: number; output: string }> {
    const [program = "", ...args] = command;
    const [exitCode] = (await once(spawn(program, args), "close")) as [number];
    return { exitCode, output: "" };
  }
  async stop(): Promise<void> {
    this.#process?.kill("SIGKILL");
  }
}

const started: FakeContainer[] = [];
vi.mock("@testcontainers/redis", () => ({ RedisContainer: FakeContainer }));

ownServersOnly("several");

let source: ServerSource;
beforeAll(async () => {
  const found = await findServer();
  if (found.kind !== "binary") return;
  FakeContainer.programs = dirname(found.path);
  source = { kind: "docker", image: found.flavour === "valkey" ? "valkey/valkey:8.0" : "redis:7.0" };
});

test("a server in a container is killed, and restarted on the same data and port", async () => {
  await using server = await RedisServer.start({ source, persistence: "aof" });
  await server.command("XADD", "orders", "*", "amount", 12);
  await server.kill();
  expect(server.running).toBe(false);
  // Refused, or taken by a socket that dies with the program a moment later.
  await expect(server.command("PING")).rejects.toThrow(/ECONNREFUSED|ECONNRESET/);
  await server.restart();
  expect(await server.command("XLEN", "orders")).toBe(1);
  expect(started.at(-1)?.user).toBe(`${process.getuid?.()}:${process.getgid?.()}`);
  expect(started.at(-1)?.ports).toEqual([{ container: server.port, host: server.port }]);
});

test("a server in a container answers nothing while frozen", async () => {
  await using server = await RedisServer.start({ source });
  await server.freeze();
  await expect(roundTrip(server.address, ["PING"], 100)).rejects.toThrow("no reply in 100 ms");
  await server.thaw();
  expect(await server.command("PING")).toBe("PONG");
});

test("a server in a container reads its certificates from a shared folder", async () => {
  await using server = await RedisServer.start({ source, tls: "server" });
  expect(await server.command("PING")).toBe("PONG");
  expect(started.at(-1)?.shared.map(({ mode }) => mode)).toEqual(["rw", "ro"]);
});

test("servers that talk to each other are refused in containers", async () => {
  await using primary = await RedisServer.start();
  await expect(RedisServer.start({ source, replicaOf: primary })).rejects.toThrow("do not run in containers");
});
