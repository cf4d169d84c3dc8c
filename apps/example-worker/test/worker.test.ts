import { DatabaseSync } from "node:sqlite";
import { Producer, partitionStreams } from "@redis-batch/consumer";
import { eventually, sendHostileRequests, useServer } from "@redis-batch/test-support";
import { findPostgres, PostgresServer } from "@redis-batch/test-support/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCommits } from "../demo/commit-data.ts";
import { removeStream } from "../demo/demo-server.ts";
import { logged, useWorkerBench, type WorkerProcess, whenLogged } from "./worker-bench.ts";

const [A_COMMIT] = readCommits(1);

function sumOf(lines: readonly { readonly [field: string]: unknown }[], field: string): number {
  return lines.reduce((sum, line) => sum + Number(line[field]), 0);
}

async function terminated(worker: WorkerProcess): Promise<number | null> {
  worker.kill("SIGTERM");
  return (await worker.exited).code;
}

describe("a worker", () => {
  const open = useWorkerBench(useServer());

  it("shares the messages with others, stores each of them once, and acknowledges them", async () => {
    const { addAll, start, whenStored, stored, pending } = open();
    const workers = await Promise.all([start(), start()]);
    // One that has not got so far as to listen for signals would simply be ended by them.
    for (const worker of workers) await whenLogged(worker, "started");
    await addAll(readCommits(500));
    await whenStored(500);
    expect(await Promise.all(workers.map(terminated))).toEqual([0, 0]);
    expect(stored()).toHaveLength(500);
    expect(await pending()).toEqual([]);
    const lines = workers.flatMap((worker) => logged(worker, "stored"));
    expect(sumOf(lines, "messages")).toBe(500);
    expect(sumOf(lines, "added")).toBe(500);
  });

  it("stores a message once that is delivered again after it was stored", async () => {
    const { addAll, start, whenStored, stored, pending, server, stream, group } = open();
    await addAll(readCommits(120));
    const worker = await start();
    await whenStored(120);
    const before = stored();
    // The group begins again: everything is delivered a second time.
    await server.command("XGROUP", "SETID", stream, group, "0");
    await eventually("all are taken in again", () => sumOf(logged(worker, "stored"), "messages") === 240);
    expect(sumOf(logged(worker, "stored"), "added")).toBe(120);
    expect(await terminated(worker)).toBe(0);
    expect(stored()).toEqual(before);
    expect(await pending()).toEqual([]);
  });

  it("leaves nothing half done when it is killed: who takes over stores the rest, and nothing twice", async () => {
    const { addAll, start, whenStored, stored, pending, databasePath } = open();
    const commits = readCommits(5_000);
    await addAll(commits.slice(0, 100));
    const shortLease = { LEASE_MS: "500", RECOVER_EVERY_MS: "100" };
    const killed = await start(shortLease);
    await whenLogged(killed, "stored");
    // However fast it is, there is something in its hands when it dies.
    const lock = new DatabaseSync(databasePath, { timeout: 5_000 });
    lock.exec("BEGIN IMMEDIATE");
    await addAll(commits.slice(100));
    await eventually("it holds messages", async () => (await pending()).length > 0);
    killed.kill("SIGKILL");
    await killed.exited;
    lock.close();
    expect(stored().length % 50).toBe(0);
    const successor = await start(shortLease);
    await whenStored(5_000);
    await eventually("nothing is left pending", async () => (await pending()).length === 0);
    expect(await terminated(successor)).toBe(0);
    const [{ consumer } = { consumer: "" }] = logged(killed, "started");
    const orphansReleased = logged(successor, "orphansReleased");
    expect(new Set(orphansReleased.map(({ from }) => from))).toEqual(new Set([consumer]));
    expect(sumOf(logged(successor, "claimed"), "messages")).toBe(sumOf(orphansReleased, "messages"));
    expect(new Set(stored()).size).toBe(5_000);
    expect(await pending()).toEqual([]);
  });

  it("drains on SIGTERM: what it stored is acknowledged, what it only held is released unread", async () => {
    const { addAll, start, stored, pending, server, stream } = open();
    await addAll(readCommits(5_000));
    const worker = await start();
    await whenLogged(worker, "stored");
    expect(await terminated(worker)).toBe(0);
    const left = await pending();
    expect(logged(worker, "stopped")).toMatchObject([{ released: left.length, unconfirmedAcks: 0, abandoned: 0 }]);
    expect(left.every(({ deliveries }) => deliveries === 0)).toBe(true);
    // Together they are what was delivered, from the first message on, and no message is both.
    const delivered = stored().length + left.length;
    expect(delivered).toBeLessThan(5_000);
    const entries = (await server.command("XRANGE", stream, "-", "+", "COUNT", delivered)) as [string, unknown][];
    expect(new Set([...stored(), ...left.map(({ id }) => id)])).toEqual(new Set(entries.map(([id]) => id)));
  });

  it("works on several streams, stores messages of the same id of each of them, and drains them all", async () => {
    const { start, whenStored, stored, pending, server, stream, group } = open();
    const other = `${stream}-other`;
    const fields = Object.entries({ ...A_COMMIT }).flat();
    for (const name of [stream, other]) await server.command("XADD", name, "7-1", ...fields);
    const worker = await start({ STREAM: `${stream},${other}` });
    await whenStored(2);
    expect(stored()).toEqual(["7-1", "7-1"]);
    await server.command("XADD", other, "8-1", "hello", "world");
    expect(await whenLogged(worker, "unreadable")).toMatchObject({ stream: other, messageId: "8-1" });
    expect(await terminated(worker)).toBe(0);
    expect(new Set(logged(worker, "stored").map((line) => line["stream"]))).toEqual(new Set([stream, other]));
    expect(await pending()).toEqual([]);
    expect(((await server.command("XPENDING", other, group)) as [number])[0]).toBe(0);
    await removeStream(server, other);
  });

  it("with PARTITIONS shares the work in order: what one that was killed had, another one does", async () => {
    const { start, stored, server, stream } = open();
    const producer = new Producer({ redis: server.options, stream, partitions: 4 });
    const addAll = (count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, n) =>
          producer.add({ ...A_COMMIT, author: `author ${n % 8}` }, { key: `${n % 8}` }),
        ),
      );
    const settings = { PARTITIONS: "4", ORDER_BY: "author", LEASE_MS: "1000", MAX_WAIT_MS: "50" };
    const first = await start(settings);
    await addAll(40);
    await eventually("all is stored", () => stored().length === 40);
    const second = await start(settings);
    await whenLogged(second, "partitionTaken");
    first.kill("SIGKILL");
    await addAll(40);
    await eventually("all is stored", () => stored().length === 80, { timeoutMs: 20_000 });
    expect(await terminated(second)).toBe(0);
    await producer.close();
    for (const one of partitionStreams(stream, 4)) await removeStream(server, one);
  });

  it("with ORDER_BY has the group for itself: another worker says so, and exits with 2", async () => {
    const { add, start, whenStored, stored, group } = open();
    const ids = [await add({ ...A_COMMIT, author: "a" }), await add({ ...A_COMMIT, author: "a" })];
    const first = await start({ ORDER_BY: "author", BATCH_SIZE: "1" });
    await whenStored(2);
    expect(stored()).toEqual(ids);
    const second = await start();
    expect((await second.exited).code).toBe(2);
    expect(logged(second, "badConfig").flatMap((line) => line["problems"])).toEqual([
      expect.stringContaining(`keeps the messages of the group "${group}" in order`),
    ]);
    expect(await terminated(first)).toBe(0);
  });

  it("stores the rest of a batch that has messages nobody can read, and keeps those as dead letters", async () => {
    const { add, start, whenStored, stored, pending, deadLetters } = open();
    const good = [await add({ ...A_COMMIT }), await add({ ...A_COMMIT })];
    const bad = [await add({ ...A_COMMIT, insertions: "plenty-of-them" }), await add({ hello: "secret-world" })];
    good.push(await add({ ...A_COMMIT }));
    const worker = await start();
    await whenStored(3);
    expect(await terminated(worker)).toBe(0);
    expect(stored()).toEqual(good);
    expect(await pending()).toEqual([]);
    const reasons = [
      ["insertions must be a whole number from 0 to 2147483647"],
      ["id", "at", "subject", "files", "insertions", "deletions"].map((name) => `${name} is missing`),
    ];
    expect(await deadLetters()).toMatchObject([
      { subject: A_COMMIT?.subject, insertions: "plenty-of-them", "dead.id": bad[0], "dead.error": reasons[0]?.join() },
      { hello: "secret-world", "dead.id": bad[1], "dead.error": reasons[1]?.join("; ") },
    ]);
    expect(logged(worker, "unreadable")).toMatchObject([
      { level: "warn", messageId: bad[0], problems: reasons[0] },
      { level: "warn", messageId: bad[1], problems: reasons[1] },
    ]);
    expect(worker.lines.join("\n")).not.toMatch(/plenty-of-them|secret-world/);
  });

  it("is ended by nothing that arrives at the port of its probes", async () => {
    const worker = await open().start();
    const port = Number((await whenLogged(worker, "probing"))["port"]);
    await whenLogged(worker, "started");
    await sendHostileRequests(port);
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    expect(await terminated(worker)).toBe(0);
    expect(worker.stderr).toBe("");
  });

  it("names everything that is wrong with its settings, and exits with 2", async () => {
    const worker = await open().start({ BATCH_SIZE: "many", DATABASE_URL: "mysql://me:hunter2@host/x" });
    expect((await worker.exited).code).toBe(2);
    const problems = logged(worker, "badConfig").flatMap((line) => line["problems"]);
    expect(problems.map((problem) => String(problem).split(" ")[0])).toEqual(["BATCH_SIZE", "DATABASE_URL"]);
    expect(worker.lines.join() + worker.stderr).not.toContain("hunter2");
  });

  it("exits with 1 and the reason when its database cannot be opened", async () => {
    const worker = await open().start({ DATABASE_URL: "sqlite:no/such/folder/commits.db" });
    expect((await worker.exited).code).toBe(1);
    expect(logged(worker, "ended").map(({ reason }) => reason)).toEqual(["Error: unable to open database file"]);
  });

  it("ends cleanly when it is asked to before it has ever reached Redis", async () => {
    const worker = await open().start({ REDIS_URL: "redis://127.0.0.1:1" });
    await whenLogged(worker, "probing");
    expect(await terminated(worker)).toBe(0);
  });
});

describe("a worker whose server comes and goes", () => {
  const open = useWorkerBench(useServer({ own: true }));

  async function statusOf(worker: WorkerProcess, path: string): Promise<number> {
    const { port } = await whenLogged(worker, "probing");
    return (await fetch(`http://127.0.0.1:${String(port)}${path}`)).status;
  }

  it("is ready while it reads, and live even while it cannot", async () => {
    const { start, server } = open();
    const worker = await start();
    await whenLogged(worker, "started");
    expect(await statusOf(worker, "/readyz")).toBe(200);
    expect(await statusOf(worker, "/healthz")).toBe(200);
    await server.kill();
    await whenLogged(worker, "disconnected");
    expect(await statusOf(worker, "/readyz")).toBe(503);
    expect(await statusOf(worker, "/healthz")).toBe(200);
    const before = worker.lines.length;
    await server.restart();
    for (const role of ["commands", "reader"]) await worker.waitForLine(connectedAs(role), { after: before });
    expect(await statusOf(worker, "/readyz")).toBe(200);
  });

  it.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("ends at once on the second %s, with %d", async (signal, code) => {
    const { start, server } = open();
    const worker = await start();
    await whenLogged(worker, "started");
    await server.freeze();
    worker.kill(signal);
    await whenLogged(worker, "draining");
    worker.kill(signal);
    expect((await worker.exited).code).toBe(code);
    expect(logged(worker, "stopped")).toEqual([]);
    await server.thaw();
  });
});

const postgres = findPostgres();
const [isMissing, why] = "missing" in postgres ? [true, `: skipped, ${postgres.missing}`] : [false, ""];

describe.skipIf(isMissing)(`a worker with PostgreSQL${why}`, () => {
  const open = useWorkerBench(useServer());
  let database: PostgresServer;

  beforeAll(async () => {
    if (!("missing" in postgres)) database = await PostgresServer.start(postgres);
  });
  afterAll(() => database?.[Symbol.asyncDispose]());

  it("stores every message once, also when all are delivered again", async () => {
    const { addAll, start, pending, server, stream, group } = open();
    const commits = readCommits(500);
    const workers = await Promise.all([start({ DATABASE_URL: database.url }), start({ DATABASE_URL: database.url })]);
    for (const worker of workers) await whenLogged(worker, "started");
    await addAll(commits);
    const whenAdded = (count: number): Promise<unknown> =>
      eventually(`${count} messages were taken in`, () => {
        const lines = workers.flatMap((worker) => logged(worker, "stored"));
        return sumOf(lines, "messages") >= count;
      });
    await whenAdded(500);
    await server.command("XGROUP", "SETID", stream, group, "0");
    await whenAdded(1_000);
    expect(await Promise.all(workers.map(terminated))).toEqual([0, 0]);
    const [totals] = await database.query(
      "SELECT count(*)::int AS rows, sum(insertions)::int AS insertions, sum(deletions)::int AS deletions FROM commits",
    );
    expect(totals).toEqual({
      rows: 500,
      insertions: sumOf(
        commits.map((commit) => ({ ...commit })),
        "insertions",
      ),
      deletions: sumOf(
        commits.map((commit) => ({ ...commit })),
        "deletions",
      ),
    });
    expect(await pending()).toEqual([]);
    await database.query("DELETE FROM commits");
  });

  it("finds a time that the database would refuse before it asks it: the neighbours are stored at once", async () => {
    const { add, start, pending, deadLetters } = open();
    const good = [await add({ ...A_COMMIT }), await add({ ...A_COMMIT })];
    const bad = await add({ ...A_COMMIT, at: "2024-01-01T00:00:00+16:00" });
    good.push(await add({ ...A_COMMIT }));
    const worker = await start({ DATABASE_URL: database.url });
    await eventually(
      "all messages are stored",
      async () => sumOf(logged(worker, "stored"), "messages") === good.length,
    );
    expect(await terminated(worker)).toBe(0);
    expect(await pending()).toEqual([]);
    expect(await deadLetters()).toMatchObject([{ "dead.id": bad, "dead.deliveries": "1" }]);
    expect(logged(worker, "stored").map(({ messages }) => messages)).toEqual([good.length]);
    await database.query("DELETE FROM commits");
  });

  it("stores a batch that the database refused when the database is well again", async () => {
    const { addAll, start, pending } = open();
    const worker = await start({ DATABASE_URL: database.url });
    await whenLogged(worker, "started");
    {
      await using lock = await database.lock("commits");
      await addAll(readCommits(50));
      await eventually("the batch waits for the lock", () => database.terminateWaiting());
      expect(await whenLogged(worker, "handlerFailed")).toMatchObject({ level: "error", messages: 50 });
      expect(await pending()).toHaveLength(50);
      await lock.release();
    }
    // What failed once is redelivered in smaller batches.
    await eventually("all are stored", () => sumOf(logged(worker, "stored"), "added") === 50);
    expect(await terminated(worker)).toBe(0);
    expect(await pending()).toEqual([]);
  });
});

function connectedAs(role: string): (line: string) => boolean {
  return (line) => line.includes('"event":"connected"') && line.includes(`"role":"${role}"`);
}
