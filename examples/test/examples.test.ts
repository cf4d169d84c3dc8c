/** Every program of examples/ as a real process, before a real Redis: what it has done is looked at, also after a kill. */
import { globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { deadLetterKey, Producer } from "@redis-batch/consumer";
import {
  createScratchFolder,
  eventually,
  removeScratchFolder,
  runWorker,
  useServer,
  type WorkerProcess,
} from "@redis-batch/test-support";
import { findPostgres, PostgresServer } from "@redis-batch/test-support/postgres";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { receive } from "./receiver.ts";

const PATIENCE = { timeoutMs: 60_000 };
const root = fileURLToPath(new URL("../", import.meta.url));
const redis = useServer({ own: true });
const postgres = findPostgres();

beforeEach(() => redis.server.command("FLUSHALL"));

/** Starts a program. What dies is taken over after two seconds, so that a test need not wait for a minute. */
function start(program: string, env: Readonly<Record<string, string>> = {}): Promise<WorkerProcess> {
  return runWorker(`${root}src/${program}.ts`, { env: { REDIS_URL: redis.server.url, LEASE_MS: "2000", ...env } });
}

/** Adds messages to a stream, in their order. */
async function add(stream: string, values: readonly Record<string, string | number>[]): Promise<void> {
  const producer = new Producer<Record<string, string | number>>({ redis: redis.server.url, stream });
  const { added } = await producer.addMany(values);
  await producer.close();
  expect(added).toBe(values.length);
}

const numbered = <Value>(count: number, of: (number: number) => Value): Value[] =>
  Array.from({ length: count }, (_, number) => of(number));

/** How many messages the group has not acknowledged, delivered or not. */
async function open(stream: string, group: string): Promise<number> {
  const groups = (await redis.server.command("XINFO", "GROUPS", stream)) as (string | number | null)[][];
  const info = groups.find((each) => each[1] === group) ?? [];
  const value = (name: string): number => Number(info[info.indexOf(name) + 1]);
  return info.length === 0 ? Number.POSITIVE_INFINITY : value("pending") + value("lag");
}

async function idsOf(stream: string): Promise<string[]> {
  const entries = (await redis.server.command("XRANGE", stream, "-", "+")) as [string, string[]][];
  return entries.map(([id]) => id);
}

async function deadLetters(stream: string, group: string): Promise<number> {
  return (await redis.server.command("XLEN", deadLetterKey(stream, group))) as number;
}

interface Interrupted {
  readonly stream: string;
  readonly group: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Kills the program once it has done something, and lets another one finish; that one is stopped by SIGTERM. */
async function killAndFinish(program: string, { stream, group, env = {} }: Interrupted): Promise<void> {
  await using first = await start(program, env);
  await first.waitForLine(() => true, PATIENCE);
  first.kill("SIGKILL");
  await first.exited;
  expect(await open(stream, group)).toBeGreaterThan(0);
  await using second = await start(program, env);
  await eventually("nothing is left", async () => (await open(stream, group)) === 0, PATIENCE);
  await stop(second);
}

async function stop(worker: WorkerProcess): Promise<void> {
  worker.kill("SIGTERM");
  expect(await worker.exited).toEqual({ code: 0, signal: null });
}

function scratch(): string {
  const folder = createScratchFolder();
  onTestFinished(() => removeScratchFolder(folder));
  return folder;
}

it("the guide has a line for each program, and each program is run here", () => {
  const programs = globSync("src/*.ts", { cwd: root })
    .map((path) => path.slice("src/".length))
    .filter((path) => path !== "settings.ts")
    .toSorted();
  const guide = readFileSync(`${root}../docs/recipes.md`, "utf8");
  const linked = [...guide.matchAll(/\]\(\.\.\/examples\/src\/([\w-]+\.ts)\)/g)].map(([, path = ""]) => path);
  expect([...new Set(linked)].toSorted()).toEqual(programs);
  const test = readFileSync(fileURLToPath(import.meta.url), "utf8");
  // A thread is run by its program.
  const isRun = (path: string): boolean =>
    path === "hash-thread.ts" || new RegExp(`(?:start|killAndFinish)\\("${path.slice(0, -3)}"`).test(test);
  expect(programs.filter((path) => !isRun(path))).toEqual([]);
});

describe("into a database", () => {
  it("PostgreSQL: each order counts once, also after a kill", async (context) => {
    if ("missing" in postgres) return context.skip(postgres.missing);
    await using database = await PostgresServer.start(postgres);
    const orders = numbered(20_000, (number) => ({ customer: `customer-${number % 7}`, cents: number }));
    await add("orders", [...orders, { customer: "", cents: 1 }]);
    await killAndFinish("postgres-inbox", { stream: "orders", group: "totals", env: { DATABASE_URL: database.url } });
    const rows = await database.query("SELECT customer, cents::int, orders::int FROM totals ORDER BY customer");
    expect(rows).toEqual(
      numbered(7, (customer) => {
        const own = orders.filter((_, number) => number % 7 === customer);
        return {
          customer: `customer-${customer}`,
          cents: own.reduce((sum, { cents }) => sum + cents, 0),
          orders: own.length,
        };
      }),
    );
    expect(await deadLetters("orders", "totals")).toBe(1);
  });

  it("SQLite: each reading is stored once, also after a kill", async () => {
    const file = join(scratch(), "readings.db");
    await add(
      "readings",
      numbered(20_000, (number) => ({ sensor: `s${number % 9}`, celsius: number / 100 })),
    );
    await killAndFinish("sqlite", { stream: "readings", group: "archive", env: { DATABASE_FILE: file } });
    const database = new DatabaseSync(file);
    const rows = database.prepare("SELECT id FROM readings").all() as { id: string }[];
    database.close();
    expect(rows.map(({ id }) => id).toSorted()).toEqual((await idsOf("readings")).toSorted());
  });
});

describe("into something with an address", () => {
  it("a bulk API: items that are refused for now come later, those refused for good are dead letters, the rate is kept", async () => {
    const documents = new Map<string, unknown>();
    const refused = new Set<string>();
    await using engine = await receive((_, body) => {
      const lines = body
        .toString()
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, never>);
      const items = numbered(lines.length / 2, (at) => {
        const { _id: id = "" } = (lines[2 * at] as { index?: { _id?: string } }).index ?? {};
        const document = lines[2 * at + 1] as { order?: string };
        if (document.order === "bad") return { index: { status: 400, error: { reason: "no such field" } } };
        // Every tenth is refused the first time.
        if (Number(document.order) % 10 === 0 && !refused.has(id)) {
          refused.add(id);
          return { index: { status: 429, error: { reason: "busy" } } };
        }
        documents.set(id, document);
        return { index: { status: 201 } };
      });
      return { status: 200, body: { errors: true, items } };
    });
    await add("orders", [...numbered(2_000, (number) => ({ order: number })), { order: "bad" }]);
    const from = performance.now();
    await killAndFinish("bulk-api", { stream: "orders", group: "search", env: { SEARCH_URL: engine.url } });
    // 1,000 in a second, and a batch for each of the two processes.
    expect(performance.now() - from).toBeGreaterThan(1_500);
    expect(documents.size).toBe(2_000);
    expect(refused.size).toBe(200);
    expect(await deadLetters("orders", "search")).toBe(1);
  });

  it("an object store: every message is in an object, also after a kill", async () => {
    const objects = new Map<string, string>();
    await using store = await receive(({ url = "", method, headers }, body) => {
      if (method !== "PUT" || !headers.authorization?.startsWith("AWS4-HMAC-SHA256 Credential=me/"))
        return { status: 403 };
      objects.set(url, gunzipSync(body).toString());
      return { status: 200 };
    });
    await add(
      "events",
      numbered(20_000, (number) => ({ number })),
    );
    const env = {
      BUCKET_URL: `${store.url}/events`,
      AWS_ACCESS_KEY_ID: "me",
      AWS_SECRET_ACCESS_KEY: "secret",
      MAX_WAIT_MS: "200",
    };
    await killAndFinish("object-store", { stream: "events", group: "archive", env });
    const lines = [...objects.values()].flatMap((content) => content.trimEnd().split("\n"));
    const ids = lines.map((line) => (JSON.parse(line) as { id: string }).id);
    expect([...new Set(ids)].toSorted()).toEqual((await idsOf("events")).toSorted());
  });

  it("webhooks: one subscriber that is down keeps the other one not waiting, and gets everything later", async () => {
    const received = { crm: new Set<string>(), mail: new Set<string>() };
    let isUp = false;
    const take = (by: keyof typeof received) => (request: { headers: NodeJS.Dict<string | string[]> }) => {
      if (by === "mail" && !isUp) return { status: 503 };
      received[by].add(String(request.headers["idempotency-key"]));
      return { status: 204 };
    };
    await using crm = await receive(take("crm"));
    await using mail = await receive(take("mail"));
    const env = { SUBSCRIBERS: JSON.stringify({ crm: crm.url, mail: mail.url }) };
    await add(
      "events",
      numbered(500, (number) => ({ number })),
    );
    {
      await using first = await start("webhooks", env);
      await eventually("the one that is up has everything", () => received.crm.size === 500, PATIENCE);
      expect(received.mail.size).toBe(0);
      first.kill("SIGKILL");
    }
    isUp = true;
    await using second = await start("webhooks", env);
    await eventually("the other one has everything", () => received.mail.size === 500, PATIENCE);
    await eventually("nothing is left", async () => (await open("events", "webhook-mail")) === 0, PATIENCE);
    expect(await deadLetters("events", "webhook-mail")).toBe(0);
    await stop(second);
  });
});

describe("in a framework", () => {
  it("NestJS: works until SIGTERM, then drains", async () => {
    await add(
      "mails",
      numbered(200, (number) => ({ to: `user-${number}@example.org` })),
    );
    await using app = await start("nest");
    await app.waitForLine("mail to user-199@example.org", PATIENCE);
    await eventually("nothing is left", async () => (await open("mails", "mailer")) === 0, PATIENCE);
    app.kill("SIGTERM");
    // Nest ends by the signal itself, once all hooks have ended.
    await app.exited;
    expect(app.lines.join("\n")).toMatch(/StreamWorker.*stopped: \{.*"unconfirmedAcks":0/);
    // Its name has left the group.
    expect(await redis.server.command("XINFO", "CONSUMERS", "mails", "mailer")).toEqual([]);
  });

  it("Fastify: its probes say how the consumer is, and it drains", async () => {
    await add(
      "clicks",
      numbered(200, (number) => ({ number })),
    );
    await using app = await start("fastify", { PORT: "0" });
    const url = await app.waitForLine(/^http/, PATIENCE);
    const status = async (path: string): Promise<number> => (await fetch(`${url}${path}`)).status;
    await eventually("it is ready", async () => (await status("/readyz")) === 200, PATIENCE);
    expect(await status("/livez")).toBe(200);
    await eventually("nothing is left", async () => (await open("clicks", "statistics")) === 0, PATIENCE);
    await redis.server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await eventually("it is ready again", async () => (await status("/readyz")) === 200, PATIENCE);
    await stop(app);
  });

  it("Express: a request adds a message, a repeated one adds nothing", async () => {
    await using app = await start("express", { PORT: "0" });
    const url = await app.waitForLine(/^http/, PATIENCE);
    const post = async (body: unknown, key: string) => {
      const headers = { "content-type": "application/json", "idempotency-key": key };
      const response = await fetch(`${url}/uploads`, { method: "POST", headers, body: JSON.stringify(body) });
      return { status: response.status, ...((await response.json()) as { id?: string }) };
    };
    const first = await post({ file: "a.png" }, "k1");
    expect(first).toEqual({ status: 202, id: (await idsOf("uploads"))[0] });
    expect(await post({ file: "a.png" }, "k1")).toEqual(first);
    expect(await post({}, "k2")).toMatchObject({ status: 400 });
    await app.waitForLine("scanned a.png", PATIENCE);
    expect(await idsOf("uploads")).toEqual([first.id]);
    await stop(app);
  });
});

describe("a program that ends by itself", () => {
  it("one shot: takes everything, then ends; an empty stream is no error", async () => {
    await add(
      "invoices",
      numbered(1_000, (number) => ({ number })),
    );
    await using first = await start("one-shot");
    expect(await first.exited).toMatchObject({ code: 0 });
    expect(first.lines.at(-1)).toBe('{"exported":1000}');
    await using second = await start("one-shot");
    expect(await second.exited).toMatchObject({ code: 0 });
    expect(second.lines).toEqual(['{"exported":0}']);
  });

  it("one shot: a server that is away is an error, and not nothing to do", async () => {
    await using worker = await start("one-shot", { REDIS_URL: "redis://127.0.0.1:1" });
    expect(await worker.exited).toMatchObject({ code: 1 });
    expect(worker.lines).toEqual([]);
    expect(worker.stderr).toMatch(/ConnectionError/);
  });

  it("a cron job: ends when its time is over, and the next run does the rest", async () => {
    const reports = scratch();
    await add(
      "reports",
      numbered(5_000, (number) => ({ name: `report-${number}` })),
    );
    await using first = await start("drain", { REPORTS: reports, BUDGET_MS: "150" });
    expect(await first.exited).toMatchObject({ code: 0 });
    expect(first.lines.at(-1)).toMatch(/^\d+ reports, and the time is up$/);
    await using second = await start("drain", { REPORTS: reports });
    expect(await second.exited).toMatchObject({ code: 0 });
    expect(second.lines.at(-1)).toMatch(/^\d+ reports, and nothing is left$/);
    expect(readdirSync(reports).length).toBe(5_000);
    // What the first has made and acknowledged, the second has not made again.
    const made = [...first.lines, ...second.lines].filter((line) => line.startsWith("made "));
    expect(made.length).toBe(5_000);
  });
});

it("worker threads: leases are renewed while all threads compute, so nobody else takes the messages", async () => {
  const users = numbered(40, (number) => ({ user: `u${number}`, password: `p${number}` }));
  await add("passwords", users);
  // The thread itself, not only its loop, may get no time on a busy machine: a lease has to outlast that.
  const env = { THREADS: "2", LEASE_MS: "5000" };
  await using first = await start("worker-threads", env);
  await using second = await start("worker-threads", env);
  await eventually("nothing is left", async () => (await open("passwords", "hasher")) === 0, PATIENCE);
  const hashed = [...first.lines, ...second.lines].map((line) => line.split(" ")[0] ?? "");
  expect(hashed.toSorted()).toEqual(users.map(({ user }) => user).toSorted());
  await stop(first);
  await stop(second);
});

it("from BullMQ: the jobs of a queue are messages, once each, although the bridge is killed", async () => {
  const connection = new Redis(redis.server.url, { maxRetriesPerRequest: null });
  const queue = new Queue("emails", { connection });
  onTestFinished(async () => {
    await queue.close();
    await connection.quit();
  });
  await queue.addBulk(numbered(1_000, (number) => ({ name: "welcome", data: { to: `u${number}` } })));
  {
    await using first = await start("from-bullmq", { LEASE_MS: "5000" });
    await first.waitForLine(/^moved/, PATIENCE);
    first.kill("SIGKILL");
  }
  await using second = await start("from-bullmq", { LEASE_MS: "5000" });
  const left = async (): Promise<number> => {
    const { waiting = 0, active = 0, delayed = 0, failed = 0 } = await queue.getJobCounts();
    return waiting + active + delayed + failed;
  };
  await eventually("the queue is empty", async () => (await left()) === 0, PATIENCE);
  const entries = (await redis.server.command("XRANGE", "emails", "-", "+")) as [string, string[]][];
  const receivers = entries.map(([, fields]) => fields[fields.indexOf("to") + 1] ?? "");
  expect(receivers.toSorted()).toEqual(numbered(1_000, (number) => `u${number}`).toSorted());
  await stop(second);
});
