/** Passwords, users and certificates are rotated while everything is at work: nothing is lost, doubled or restarted. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Consumer, type Credentials, type CredentialsFunction, Producer } from "@redis-batch/consumer";
import { Monitor, type MonitorEvent } from "@redis-batch/monitor";
import { Scaler, type ScalerEvent } from "@redis-batch/scaler";
import {
  type Certificates,
  EventRecorder,
  eventually,
  type RedisServer,
  strangeCertificates,
  testCertificates,
  uniqueName,
  useServer,
} from "@redis-batch/test-support";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { useCli } from "./cli.ts";

const PATIENCE = { timeoutMs: 30_000 };
const RIGHTS = ["on", "~*", "&*", "+@all"] as const;
const cli = useCli();

/** A producer, a consumer, a monitor and a scaler of one stream, and what has become of each message. */
class Services implements AsyncDisposable {
  readonly stream = uniqueName("rotated");
  readonly received = new Map<number, number>();
  readonly #producer: Producer;
  readonly #consumer: Consumer;
  readonly #monitor: Monitor;
  readonly #scaler: Scaler;
  readonly #seen = { monitor: new EventRecorder<MonitorEvent>(), scaler: new EventRecorder<ScalerEvent>() };
  readonly #runs: readonly Promise<unknown>[];
  readonly #adding: Promise<unknown>[] = [];
  readonly #problems: unknown[] = [];
  #added = 0;

  constructor(redis: object, credentials: CredentialsFunction) {
    const shared = { redis, credentials, stream: this.stream };
    const group = { ...shared, group: "g" };
    this.#producer = new Producer({ ...shared, observer: () => {} });
    this.#consumer = new Consumer({ ...group, batchSize: 10, maxWaitMs: 20, observer: () => {} });
    this.#monitor = new Monitor({ ...group, observer: this.#seen.monitor.observe });
    this.#scaler = new Scaler({ ...group, observer: this.#seen.scaler.observe });
    const handle = (message: { readonly value: object }): void => {
      const { n } = message.value as { readonly n: string };
      this.received.set(Number(n), (this.received.get(Number(n)) ?? 0) + 1);
    };
    this.#runs = [
      this.#consumer.run((batch) => {
        for (const message of batch) handle(message);
        batch.ack();
      }),
      this.#monitor.run({ intervalMs: 100 }),
      this.#scaler.run({ intervalMs: 100 }),
    ];
    for (const run of this.#runs) run.catch((error: unknown) => this.#problems.push(error));
  }

  /** Adds messages without waiting for them. */
  add(count: number): void {
    for (let index = 0; index < count; index++) {
      const n = this.#added++;
      this.#adding.push(this.#producer.add({ n }, { idempotencyKey: `n${n}` }));
      this.#adding.at(-1)?.catch((error: unknown) => this.#problems.push(error));
    }
  }

  /** Waits until all that was added has arrived, and monitor and scaler have looked again. */
  async caughtUp(): Promise<void> {
    const counts = () => [this.#seen.monitor.all("inspected").length, this.#seen.scaler.all("decided").length];
    const [inspected = 0, decided = 0] = counts();
    const isThere = () => {
      if (this.#problems.length > 0) throw this.#problems[0];
      const [inspectedNow = 0, decidedNow = 0] = counts();
      return this.received.size === this.#added && inspectedNow > inspected && decidedNow > decided;
    };
    await eventually("everything has arrived", () => Promise.resolve(isThere()), PATIENCE);
    await Promise.all(this.#adding);
  }

  /** What was received more or less than once, and what ended before its time. */
  async end(): Promise<readonly unknown[]> {
    await this[Symbol.asyncDispose]();
    return [...this.#problems, ...[...this.received].filter(([, times]) => times !== 1)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#producer, this.#consumer, this.#monitor, this.#scaler].map((service) => service.close()));
    await Promise.allSettled(this.#runs);
  }
}

/** Rotates while messages are on their way, and waits until all have arrived. */
async function through(services: Services, rotate: () => Promise<unknown>): Promise<void> {
  services.add(200);
  const rotated = rotate();
  services.add(200);
  await rotated;
  services.add(200);
  await services.caughtUp();
}

/** A file that is replaced in one step, as Kubernetes does with a secret. */
function fileOf(name: string): { readonly path: string; readonly write: (content: string | Buffer) => void } {
  const path = join(cli.folder, uniqueName(name));
  return {
    path,
    write(content) {
      writeFileSync(`${path}.new`, content);
      renameSync(`${path}.new`, path);
    },
  };
}

/** A command that goes on, and shows how many messages are waiting. */
async function watching(stream: string, args: readonly string[]): Promise<() => Promise<number | null>> {
  const watch = await cli.start(["monitor", stream, "g", "--watch", "--interval", "100ms", ...args]);
  onTestFinished(() => watch[Symbol.asyncDispose]());
  const shows = /waiting/;
  await watch.waitForLine(shows, PATIENCE);
  return async () => {
    // It looks again after what has happened.
    await watch.waitForLine(shows, { ...PATIENCE, after: watch.lines.length });
    watch.kill("SIGINT");
    return (await watch.exited).code;
  };
}

describe("a server with users", () => {
  const redis = useServer({ own: true });

  async function allow(username: string, password: string): Promise<void> {
    await redis.server.command("ACL", "SETUSER", username, "resetpass", `>${password}`, ...RIGHTS);
  }

  it("gets another password, and then another user, without a lost or doubled message", async () => {
    const credentials = { username: "app-1", password: "hunter2-1" };
    const file = fileOf("password");
    file.write(`${credentials.password}\n`);
    await allow("app-1", "hunter2-1");
    await using services = new Services({ ...redis.server.options }, async () => ({ ...credentials }));
    services.add(1);
    await services.caughtUp();
    const url = `redis://app-1@127.0.0.1:${redis.server.port}`;
    const ended = await watching(services.stream, ["--url", url, "--password-file", file.path]);

    // The server knows the new password first.
    await through(services, async () => {
      await allow("app-1", "hunter2-2");
      await redis.server.command("CLIENT", "KILL", "USER", "app-1");
      const refused = async () => String(await redis.server.command("ACL", "LOG")).includes("app-1");
      await eventually("it is refused", refused, PATIENCE);
      credentials.password = "hunter2-2";
      file.write("hunter2-2\n");
    });
    expect(await ended()).toBe(0);

    await through(services, async () => {
      await allow("app-2", "hunter2-3");
      Object.assign(credentials, { username: "app-2", password: "hunter2-3" });
      await redis.server.command("ACL", "DELUSER", "app-1");
    });
    expect(await services.end()).toEqual([]);
    expect(services.received.size).toBe(1_201);
  });
});

describe("a server that checks its clients' certificates", () => {
  const redis = useServer({ tls: "mutual" });

  /** The server and its clients trust another authority from now on, and all connections end. */
  async function rotate({ options }: RedisServer, next: Certificates): Promise<void> {
    const admin = new Redis(options);
    onTestFinished(() => admin.disconnect());
    const { caPath, certPath, keyPath } = next;
    await admin.config("SET", "tls-ca-cert-file", caPath, "tls-cert-file", certPath, "tls-key-file", keyPath);
    await admin.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  }

  it("gets other certificates without a lost or doubled message", async () => {
    let current = testCertificates();
    const files = { ca: fileOf("ca"), cert: fileOf("cert"), key: fileOf("key") };
    const write = () => {
      for (const name of ["ca", "cert", "key"] as const) files[name].write(current[name]);
    };
    write();
    const { host, port } = redis.server.address;
    const ask = (): Credentials => ({ tls: { ca: current.ca, cert: current.cert, key: current.key } });
    await using services = new Services({ host, port, tls: {} }, ask);
    services.add(1);
    await services.caughtUp();
    const ended = await watching(services.stream, [
      ...["--url", `rediss://${host}:${port}`, "--tls-ca", files.ca.path],
      ...["--tls-cert", files.cert.path, "--tls-key", files.key.path],
    ]);
    await through(services, async () => {
      const next = strangeCertificates();
      await rotate(redis.server, next);
      current = next;
      write();
    });
    expect(await ended()).toBe(0);
    expect(await services.end()).toEqual([]);
    expect(services.received.size).toBe(601);
  });
});
