import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createScratchFolder, eventually, removeScratchFolder } from "@redis-batch/test-support";
import { findPostgres, PostgresServer } from "@redis-batch/test-support/postgres";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseCommit } from "../src/commit.ts";
import { PostgresStore } from "../src/postgres-store.ts";
import { SqliteStore } from "../src/sqlite-store.ts";
import type { CommitStore, StoredCommit } from "../src/store.ts";

/** One kind of database, as the suite needs it. */
interface Engine {
  open(): Promise<CommitStore>;
  /** Subjects by message id, straight from the database. */
  subjects(): Promise<ReadonlyMap<string, string>>;
  empty(): Promise<void>;
  stop(): Promise<void>;
}

interface SubjectRow {
  readonly message_id: string;
  readonly subject: string;
}

const SUBJECTS = "SELECT message_id, subject FROM commits ORDER BY message_id";

const commit = (messageId: string, subject = `commit ${messageId}`): StoredCommit => ({
  stream: "commits",
  messageId,
  commitId: "ed9b544e10b8",
  committedAt: "2009-03-22T10:30:00+01:00",
  subject,
  files: 1,
  insertions: 2,
  deletions: 3,
});

/** Each value that a field may have on either side of what a database takes, the others being well. */
const BORDERLINE: readonly Readonly<Record<string, string>>[] = (() => {
  const well = {
    id: "ed9b544e10b8",
    at: "2009-03-22T10:30:00Z",
    subject: "",
    files: "1",
    insertions: "2",
    deletions: "3",
  };
  const days = ["2024-02-29", "1000-01-01", "9999-12-31", "0999-12-31", "0001-01-01", "0000-01-01", "+010000-01-01"];
  const times = [
    "00:00:00",
    "23:59:59",
    "23:59:60",
    "24:00:00",
    "24:00:01",
    "00:60:00",
    "12:00:00.999999",
    "12:00:00.9999999",
  ];
  const zones = [
    "Z",
    "+14:00",
    "-12:00",
    "+15:59",
    "-15:59",
    "+16:00",
    "-16:00",
    "+23:59",
    "+00:60",
    "-00:00",
    "+99:99",
    "",
  ];
  const numbers = [
    "0",
    "2147483647",
    "2147483648",
    "-0",
    "-1",
    "+1",
    "1e3",
    "NaN",
    "Infinity",
    "0x10",
    "1.0",
    "",
    " 1",
    "١",
  ];
  const texts = ["\0", "a\0b", "\uD800", "\uDC00x", "\u{10FFFF}", "\uFFFE", "'\"\\{},NULL", "x".repeat(5_000_000)];
  const ids = ["0123456", "f".repeat(64), "F".repeat(64), "f".repeat(65), "0123456\0", "ed9b544e10b8\n"];
  return [
    ...days.flatMap((day) => times.flatMap((time) => zones.map((zone) => ({ ...well, at: `${day}T${time}${zone}` })))),
    ...["infinity", "-infinity", "now", "epoch", "2024-W09", "2024-060"].map((at) => ({ ...well, at })),
    ...[...numbers, "9".repeat(100_000), `${"0".repeat(100_000)}1`].map((files) => ({ ...well, files })),
    ...texts.map((subject) => ({ ...well, subject })),
    ...ids.map((id) => ({ ...well, id })),
  ];
})();

/** What every store promises, with any database. */
function describeStore(start: () => Promise<Engine>): void {
  let engine: Engine;
  let store: CommitStore;

  beforeAll(async () => {
    engine = await start();
  });
  afterAll(() => engine?.stop());
  beforeEach(async () => {
    store = await engine.open();
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    await engine.empty();
  });

  it("stores a batch, and says how many were new", async () => {
    expect(await store.save([commit("1-0"), commit("2-0")])).toBe(2);
    expect([...(await engine.subjects())]).toEqual([
      ["1-0", "commit 1-0"],
      ["2-0", "commit 2-0"],
    ]);
  });

  it("leaves what is stored as it is when it is redelivered, and stores the rest of the batch", async () => {
    await store.save([commit("1-0", "first"), commit("2-0", "first")]);
    expect(await store.save([commit("2-0", "again"), commit("3-0", "new")])).toBe(1);
    expect([...(await engine.subjects()).values()]).toEqual(["first", "first", "new"]);
  });

  it("knows messages of two streams apart that have the same id", async () => {
    const [here, there] = [commit("1-0", "here"), { ...commit("1-0", "there"), stream: "others" }];
    expect(await store.save([here, there])).toBe(2);
    expect(await store.save([there, here])).toBe(0);
  });

  it("stores a message once that is in a batch twice", async () => {
    expect(await store.save([commit("1-0"), commit("1-0")])).toBe(1);
    expect((await engine.subjects()).size).toBe(1);
  });

  it("stores nothing of a batch of which the database refuses one, and goes on with the next", async () => {
    const refused = { ...commit("2-0"), subject: null as unknown as string };
    await expect(store.save([commit("1-0"), refused, commit("3-0")])).rejects.toThrow(/null/i);
    expect((await engine.subjects()).size).toBe(0);
    expect(await store.save([commit("1-0")])).toBe(1);
  });

  it("takes a batch of the largest size", async () => {
    const commits = Array.from({ length: 10_000 }, (_, index) => commit(`${index}-0`));
    expect(await store.save(commits)).toBe(10_000);
  });

  it("is shared by stores that save the same messages at the same time", async () => {
    const others = await Promise.all([engine.open(), engine.open()]);
    const commits = Array.from({ length: 100 }, (_, index) => commit(`${index}-0`));
    const added = await Promise.all([store, ...others].map((one) => one.save(commits)));
    expect(added.reduce((total, count) => total + count, 0)).toBe(100);
    await Promise.all(others.map((one) => one[Symbol.asyncDispose]()));
  });

  it("keeps text as it is", async () => {
    const text = `"quotes", 'quotes', \\backslash, {braces}, NULL, ünïcödé, 漢字, 🦀, \ttab\n and an empty end `;
    await store.save([commit("1-0", text), commit("2-0", "")]);
    expect([...(await engine.subjects()).values()]).toEqual([text, ""]);
  });
}

describe("SQLite", () => {
  let path: string;

  async function startSqlite(): Promise<Engine> {
    const folder = createScratchFolder();
    path = join(folder, "commits.db");
    const onDatabase = <Result>(use: (database: DatabaseSync) => Result): Result => {
      const database = new DatabaseSync(path);
      try {
        return use(database);
      } finally {
        database.close();
      }
    };
    return {
      open: () => SqliteStore.open(path),
      subjects: async () => {
        const rows = onDatabase((database) => database.prepare(SUBJECTS).all()) as unknown as SubjectRow[];
        return new Map(rows.map((row) => [row.message_id, row.subject]));
      },
      empty: async () => onDatabase((database) => database.exec("DELETE FROM commits")),
      stop: async () => removeScratchFolder(folder),
    };
  }

  describeStore(startSqlite);

  it("waits while another worker sets the file up", async () => {
    const fresh = `${path}-fresh`;
    const other = new DatabaseSync(fresh);
    other.exec("BEGIN EXCLUSIVE");
    const opening = SqliteStore.open(fresh);
    other.exec("CREATE TABLE something (id INTEGER)");
    other.exec("COMMIT");
    other.close();
    await using store = await opening;
    expect(await store.save([commit("1-0")])).toBe(1);
  });

  it("waits for another process without holding up its own, and saves each of two batches that wait", async () => {
    await using store = await SqliteStore.open(path);
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const saving = Promise.all([store.save([commit("1-0"), commit("2-0")]), store.save([commit("3-0")])]);
    // Nobody would come to release the lock if the wait held up the event loop.
    await nextTurn();
    other.exec("COMMIT");
    other.close();
    expect(await saving).toEqual([2, 1]);
  });

  it("does not create a file again that is gone after a failure, and goes on when it is back", async () => {
    await using store = await SqliteStore.open(path);
    await expect(store.save([{ ...commit("1-0"), subject: null as unknown as string }])).rejects.toThrow(/null/i);
    renameSync(path, `${path}-away`);
    await expect(store.save([commit("1-0")])).rejects.toThrow("unable to open database file");
    expect(existsSync(path)).toBe(false);
    renameSync(`${path}-away`, path);
    expect(await store.save([commit("1-0")])).toBe(1);
  });

  it("lets readers in while it writes", async () => {
    await using store = await SqliteStore.open(path);
    await store.save([commit("1-0")]);
    const reader = new DatabaseSync(path, { readOnly: true });
    expect(reader.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    reader.close();
  });
});

const postgres = findPostgres();
const [isMissing, why] = "missing" in postgres ? [true, `: skipped, ${postgres.missing}`] : [false, ""];

describe.skipIf(isMissing)(`PostgreSQL${why}`, () => {
  let server: PostgresServer;

  async function startPostgres(): Promise<Engine> {
    if ("missing" in postgres) throw new Error(postgres.missing);
    server = await PostgresServer.start(postgres);
    return {
      open: () => PostgresStore.open(server.url, () => undefined),
      subjects: async () => {
        const rows = await server.query<SubjectRow>(SUBJECTS);
        return new Map(rows.map((row) => [row.message_id, row.subject]));
      },
      empty: async () => void (await server.query("DELETE FROM commits")),
      stop: () => server[Symbol.asyncDispose](),
    };
  }

  describeStore(startPostgres);

  it("creates its table once when workers start together", async () => {
    await server.query("DROP TABLE commits");
    const stores = await Promise.all(Array.from({ length: 5 }, () => PostgresStore.open(server.url, () => undefined)));
    await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()));
    expect(await server.query("SELECT count(*)::int AS count FROM commits")).toEqual([{ count: 0 }]);
  });

  it("refuses nothing that is read as a commit", async () => {
    await using store = await PostgresStore.open(server.url, () => undefined);
    const readable = BORDERLINE.flatMap((fields, n) => {
      const parsed = parseCommit(fields);
      return parsed.kind === "commit" ? [{ ...commit(`${n}-0`), ...parsed.commit }] : [];
    });
    const refused: string[] = [];
    for (const each of readable) {
      await store
        .save([each])
        .catch((error: unknown) => refused.push(`${JSON.stringify(each).slice(0, 200)}: ${String(error)}`));
    }
    expect(refused).toEqual([]);
    // Not because there was hardly any.
    expect(readable.length).toBeGreaterThan(50);
    expect(readable.length).toBeLessThan(BORDERLINE.length);
    await server.query("DELETE FROM commits");
  });

  it("stores the moment, whatever offset it was written with", async () => {
    await using store = await PostgresStore.open(server.url, () => undefined);
    await store.save([commit("1-0")]);
    const [row] = await server.query<{ committed_at: Date }>("SELECT committed_at FROM commits");
    expect(row?.committed_at.toISOString()).toBe("2009-03-22T09:30:00.000Z");
    await server.query("DELETE FROM commits");
  });

  it("reports a connection that broke while it was idle, and opens another one", async () => {
    const broken = Promise.withResolvers<Error>();
    await using store = await PostgresStore.open(server.url, broken.resolve);
    await server.terminateIdle();
    expect((await broken.promise).message).toMatch(/terminat/i);
    expect(await store.save([commit("1-0")])).toBe(1);
    await server.query("DELETE FROM commits");
  });

  it("stores nothing when the connection breaks in the middle, and goes on with the next batch", async () => {
    await using store = await PostgresStore.open(server.url, () => undefined);
    await using lock = await server.lock("commits");
    const failure = store.save([commit("1-0")]).catch((error: unknown) => error);
    await eventually("the insert waits for the lock", () => server.terminateWaiting());
    expect(String(await failure)).toMatch(/terminat/i);
    await lock.release();
    expect((await server.query(SUBJECTS)).length).toBe(0);
    expect(await store.save([commit("1-0")])).toBe(1);
    await server.query("DELETE FROM commits");
  });

  it("is not opened where the database lacks characters: it would refuse what is read as a commit", async () => {
    await server.query("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    const url = server.url.replace("/postgres?", "/latin?");
    await expect(PostgresStore.open(url, () => undefined)).rejects.toThrow("is LATIN1, but must be UTF8");
  });

  it("says what is wrong when it cannot be reached", async () => {
    const opening = PostgresStore.open("postgres://nobody@127.0.0.1:1/nowhere", () => undefined);
    await expect(opening).rejects.toThrow("ECONNREFUSED");
  });
});
