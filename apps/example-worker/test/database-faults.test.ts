/** The workers' own database is out of order for a while: full, read-only, away. The workers, and Redis, are well. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { eventually, useServer } from "@redis-batch/test-support";
import { findPostgres, PostgresServer } from "@redis-batch/test-support/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCommits } from "../demo/commit-data.ts";
import { logged, useWorkerBench, type WorkerBench, type WorkerProcess, whenLogged } from "./worker-bench.ts";

const MESSAGES = 3_000;
const LEASE_MS = 1_000;
const SETTINGS = { LEASE_MS: String(LEASE_MS), RECOVER_EVERY_MS: "200", RETRY_BASE_MS: "10", RETRY_CAP_MS: "50" };
// More than twice as often as a message may fail before it goes to the dead letters.
const FAILURES = 40;
// A message takes two pages of the write-ahead log, one for the table and one for the index: the second one fails.
const ROOM_BYTES = 8_192;
const PATIENCE = { timeoutMs: 20_000 };

/** The workers of one test, and their database. */
interface Crew {
  readonly bench: WorkerBench;
  workers: readonly WorkerProcess[];
  readonly start: () => Promise<readonly WorkerProcess[]>;
  readonly stored: () => Promise<readonly string[]>;
}

interface Outage {
  /** What the workers say of it. */
  readonly reason: RegExp;
  readonly begin: (crew: Crew) => Promise<void>;
  /** Makes all as it was. `look` is called at the last moment at which nothing can be stored yet. */
  readonly end: (crew: Crew, look: () => Promise<void>) => Promise<void>;
}

async function hire(
  bench: WorkerBench,
  env: Readonly<Record<string, string>>,
  options: Parameters<WorkerBench["start"]>[1],
  stored: Crew["stored"],
): Promise<Crew> {
  const start = async (): Promise<readonly WorkerProcess[]> => {
    const workers = await Promise.all([1, 2].map(() => bench.start({ ...SETTINGS, ...env }, options)));
    for (const worker of workers) await whenLogged(worker, "started");
    return workers;
  };
  return { bench, start, stored, workers: await start() };
}

async function dismiss(crew: Crew): Promise<void> {
  for (const worker of crew.workers) worker.kill("SIGTERM");
  const exits = await Promise.all(crew.workers.map(({ exited }) => exited));
  expect(exits.map(({ code }) => code)).toEqual(crew.workers.map(() => 0));
}

/** The result of all messages; as many as there are and none missing is each of them once. */
interface Books {
  readonly stored: number;
  readonly missing: number;
  readonly pending: number;
  readonly deadLettered: number;
}

const IN_ORDER: Books = { stored: MESSAGES, missing: 0, pending: 0, deadLettered: 0 };

/** A load, an outage in the middle of it, and the books. */
async function survive(crew: Crew, outage: Outage): Promise<Books> {
  const { added, addAll, acknowledged, pending, deadLetters } = crew.bench;
  const commits = readCommits(MESSAGES);
  await addAll(commits.slice(0, MESSAGES / 2));
  await eventually("the first are stored", async () => (await crew.stored()).length > 0);
  await outage.begin(crew);
  await addAll(commits.slice(MESSAGES / 2));
  const failures = (): readonly string[] =>
    crew.workers.flatMap((worker) => logged(worker, "handlerFailed").map((line) => JSON.stringify(line)));
  const failed = await eventually(
    `${FAILURES} batches have failed`,
    () => failures().length >= FAILURES && failures(),
    PATIENCE,
  );
  expect(failed.filter((line) => outage.reason.test(line)).length).toBeGreaterThan(FAILURES / 2);
  expect(crew.workers.flatMap((worker) => logged(worker, "backingOff"))).not.toEqual([]);

  await outage.end(crew, async () => {
    // The database is asked second: what is acknowledged has been in it before.
    const done = await acknowledged();
    const stored = new Set(await crew.stored());
    expect(done.length).toBeLessThan(MESSAGES);
    expect(done.filter((id) => !stored.has(id))).toEqual([]);
    expect(await deadLetters()).toEqual([]);
  });
  await eventually("all are stored", async () => (await crew.stored()).length >= MESSAGES, PATIENCE);
  await eventually("nothing is pending", async () => (await pending()).length === 0);
  await dismiss(crew);
  const stored = await crew.stored();
  const known = new Set(stored);
  return {
    stored: stored.length,
    missing: (await added()).filter((id) => !known.has(id)).length,
    pending: (await pending()).length,
    deadLettered: (await deadLetters()).length,
  };
}

describe("a worker whose SQLite file", () => {
  const open = useWorkerBench(useServer());
  const limiting = isLinux() ? "" : ": skipped, only Linux limits the files of a process that runs";
  const rights = boundByPermissions();
  const unbound = "unbound" in rights ? `: skipped, ${rights.unbound}` : "";

  it.skipIf(limiting)(
    `cannot grow acknowledges nothing, dead-letters nothing, and goes on by itself${limiting}`,
    async () => {
      const bench = open();
      const limitFiles = ({ workers }: Crew, bytes: number | "unlimited"): void => {
        for (const { pid } of workers) execFileSync("prlimit", ["--pid", String(pid), `--fsize=${bytes}:`]);
      };
      const crew = await hire(bench, {}, {}, async () => bench.stored());
      const books = await survive(crew, {
        reason: /disk I\/O error|disk is full/,
        begin: async () => limitFiles(crew, ROOM_BYTES),
        end: async (_, look) => {
          await look();
          limitFiles(crew, "unlimited");
        },
      });
      expect(books).toEqual(IN_ORDER);
    },
  );

  it.skipIf(unbound)(`is read-only when it starts goes on by itself once it may write${unbound}`, async () => {
    const bench = open();
    const allow = (mode: number): void => {
      const files = ["", "-wal", "-shm"].map((suffix) => `${bench.databasePath}${suffix}`);
      for (const file of files.filter((path) => existsSync(path))) chmodSync(file, mode);
    };
    const launcher = "launcher" in rights ? rights.launcher : [];
    const crew = await hire(bench, {}, { launcher }, async () => bench.stored());
    const books = await survive(crew, {
      reason: /readonly/,
      begin: async () => {
        await dismiss(crew);
        allow(0o444);
        crew.workers = await crew.start();
      },
      end: async (_, look) => {
        await look();
        allow(0o644);
      },
    });
    expect(books).toEqual(IN_ORDER);
  });

  it("is locked by somebody else waits, keeps its messages, and stores them when it is free", async () => {
    const bench = open();
    const crew = await hire(bench, {}, {}, async () => bench.stored());
    const lock = new DatabaseSync(bench.databasePath);
    lock.exec("BEGIN IMMEDIATE");
    await bench.addAll(readCommits(MESSAGES));
    await eventually(
      "both hold messages",
      async () => new Set((await bench.pending()).map((one) => one.consumer)).size === 2,
    );
    const lockedAtMs = performance.now();
    await eventually("two leases are over", () => performance.now() - lockedAtMs > 2 * LEASE_MS);
    expect(await bench.acknowledged()).toEqual([]);
    expect(bench.stored()).toEqual([]);
    lock.close();
    await eventually("all are stored", () => bench.stored().length >= MESSAGES, PATIENCE);
    await eventually("nothing is pending", async () => (await bench.pending()).length === 0);
    await dismiss(crew);
    expect(bench.stored().toSorted()).toEqual((await bench.added()).toSorted());
    // The leases were renewed meanwhile: nobody has taken anything from anybody.
    for (const event of ["outcomeTooLate", "orphansReleased", "redelivered", "handlerFailed"]) {
      expect(crew.workers.flatMap((worker) => logged(worker, event))).toEqual([]);
    }
  });
});

const postgres = findPostgres();
const [isMissing, why] = "missing" in postgres ? [true, `: skipped, ${postgres.missing}`] : [false, ""];

describe.skipIf(isMissing)(`a worker whose PostgreSQL${why}`, () => {
  const open = useWorkerBench(useServer());
  let database: PostgresServer;

  beforeAll(async () => {
    if (!("missing" in postgres)) database = await PostgresServer.start(postgres);
  });
  afterAll(() => database?.[Symbol.asyncDispose]());

  async function hireForPostgres(): Promise<Crew> {
    await database.query("DROP TABLE IF EXISTS commits");
    return hire(open(), { DATABASE_URL: database.url }, {}, async () => {
      const rows = await database.query<{ id: string }>(
        "SELECT message_id AS id FROM commits WHERE commit_id <> 'filler'",
      );
      return rows.map(({ id }) => id);
    });
  }

  it("is read-only acknowledges nothing, dead-letters nothing, and goes on by itself", async () => {
    const books = await survive(await hireForPostgres(), {
      reason: /read-only transaction/,
      begin: () => database.setReadOnly(true),
      end: async (_, look) => {
        await look();
        await database.setReadOnly(false);
      },
    });
    expect(books).toEqual(IN_ORDER);
  });

  const limiting = isLinux() ? "" : ": skipped, only Linux limits the files of a process that runs";
  it.skipIf(limiting)(
    `cannot grow acknowledges nothing, dead-letters nothing, and goes on by itself${limiting}`,
    async () => {
      const books = await survive(await hireForPostgres(), {
        reason: /could not extend file/,
        begin: async () => {
          // The write-ahead log has files of 16 MiB: the table must be longer, to be the one that meets the limit.
          await database.query(
            `INSERT INTO commits SELECT 'filler', n::text, 'filler', now(), repeat('x', 1900), 0, 0, 0
           FROM generate_series(1, 9000) AS n`,
          );
          const [table] = await database.query<{ bytes: number }>("SELECT pg_relation_size('commits')::int AS bytes");
          expect(table?.bytes).toBeGreaterThan(16 * 1_048_576);
          await database.limitFileBytes(table?.bytes ?? 0);
        },
        end: async (_, look) => {
          await look();
          await database.limitFileBytes("unlimited");
        },
      });
      expect(books).toEqual(IN_ORDER);
    },
  );

  it("crashes and comes back has stored all that it acknowledged", async () => {
    const books = await survive(await hireForPostgres(), {
      reason: /ECONNREFUSED|ENOENT|terminat|shutting down/i,
      begin: () => database.crash(),
      end: async ({ workers }, look) => {
        // They must not store anything between the restart and the look.
        for (const worker of workers) worker.kill("SIGSTOP");
        await database.restart();
        await look();
        for (const worker of workers) worker.kill("SIGCONT");
      },
    });
    expect(books).toEqual(IN_ORDER);
  });
});

function isLinux(): boolean {
  return process.platform === "linux";
}

/** How to start a process for which permissions of files hold: root's do not, unless that right is taken away. */
function boundByPermissions(): { readonly launcher: readonly string[] } | { readonly unbound: string } {
  if (process.getuid?.() !== 0) return { launcher: [] };
  const launcher = ["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search"];
  try {
    execFileSync("setpriv", [...launcher.slice(1), "true"], { stdio: "ignore" });
    return { launcher };
  } catch {
    return { unbound: "root may write everywhere, and setpriv cannot take that away" };
  }
}
