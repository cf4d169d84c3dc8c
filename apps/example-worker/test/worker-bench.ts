/** The worker as a real process on a stream of its own, with what a test needs around it. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Producer } from "@redis-batch/consumer";
import {
  createScratchFolder,
  eventually,
  type RedisServer,
  removeScratchFolder,
  runWorker,
  type UsedServer,
  uniqueName,
  type WorkerOptions,
} from "@redis-batch/test-support";
import { afterEach } from "vitest";
import type { CommitRecord } from "../demo/commit-data.ts";
import { removeStream } from "../demo/demo-server.ts";

/** How long to wait for a worker that has the file to itself, as when it opens or closes it. */
const BUSY_TIMEOUT_MS = 10_000;

const MAIN = new URL("../src/main.ts", import.meta.url);

export type WorkerProcess = Awaited<ReturnType<typeof runWorker>>;

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface WorkerBench {
  readonly server: RedisServer;
  readonly stream: string;
  readonly group: string;
  readonly databasePath: string;
  /** Starts a worker; it is killed after the test if it still runs. */
  readonly start: (
    env?: Readonly<Record<string, string>>,
    options?: Pick<WorkerOptions, "launcher">,
  ) => Promise<WorkerProcess>;
  /** Adds a message, as any other client would → its id. */
  readonly add: (fields: Readonly<Record<string, string | number>>) => Promise<string>;
  readonly addAll: (commits: readonly CommitRecord[]) => Promise<void>;
  /** Ids of the messages that are stored. */
  readonly stored: () => readonly string[];
  /** Resolves once that many messages are stored. */
  readonly whenStored: (messages: number) => Promise<unknown>;
  /** Ids of the messages that are in the stream. */
  readonly added: () => Promise<readonly string[]>;
  /** Ids of the messages that the group has finished. */
  readonly acknowledged: () => Promise<readonly string[]>;
  /** What was delivered and not acknowledged. */
  readonly pending: () => Promise<readonly PendingMessage[]>;
  /** What went to the dead letters: their fields, with what was noted about them. */
  readonly deadLetters: () => Promise<readonly Readonly<Record<string, string>>[]>;
}

export interface PendingMessage {
  readonly id: string;
  readonly consumer: string;
  readonly deliveries: number;
}

/** Makes a bench per call; ends the workers and removes the files after each test. */
export function useWorkerBench(redis: UsedServer): () => WorkerBench {
  const workers: WorkerProcess[] = [];
  const folders: string[] = [];
  const streams: string[] = [];
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker[Symbol.asyncDispose]()));
    for (const folder of folders.splice(0)) removeScratchFolder(folder);
    for (const stream of streams.splice(0)) if (redis.server.running) await removeStream(redis.server, stream);
  });

  return () => {
    const { server } = redis;
    const stream = uniqueName("commits");
    const group = "storers";
    const folder = createScratchFolder();
    folders.push(folder);
    streams.push(stream);
    const databasePath = join(folder, "commits.db");
    const settings = {
      REDIS_URL: server.url,
      STREAM: stream,
      GROUP: group,
      BATCH_SIZE: "50",
      MAX_WAIT_MS: "100",
      DATABASE_URL: `sqlite:${databasePath}`,
      PROBE_HOST: "127.0.0.1",
      PROBE_PORT: "0",
    };
    const add = async (fields: Readonly<Record<string, string | number>>): Promise<string> =>
      String(await server.command("XADD", stream, "*", ...Object.entries(fields).flat()));
    const stored = (): readonly string[] => {
      const database = new DatabaseSync(databasePath, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
      try {
        const rows = database.prepare("SELECT message_id AS id FROM commits ORDER BY rowid").all();
        return rows.map((row) => String(row["id"]));
      } finally {
        database.close();
      }
    };
    const idsUpTo = async (last: string): Promise<readonly string[]> =>
      ((await server.command("XRANGE", stream, "-", last)) as [string, unknown][]).map(([id]) => id);
    const pending = async (): Promise<readonly PendingMessage[]> => {
      const reply = (await server.command("XPENDING", stream, group, "-", "+", 100_000)) as [
        string,
        string,
        number,
        number,
      ][];
      return reply.map(([id, consumer, , deliveries]) => ({ id, consumer, deliveries }));
    };
    return {
      server,
      stream,
      group,
      databasePath,
      async start(env = {}, options = {}) {
        const worker = await runWorker(MAIN, { ...options, env: { ...settings, ...env } });
        workers.push(worker);
        return worker;
      },
      add,
      async addAll(commits) {
        await using producer = new Producer<CommitRecord>({ redis: server.options, stream });
        await producer.addMany(commits);
      },
      stored,
      whenStored: (messages) => eventually(`${messages} messages are stored`, () => stored().length >= messages),
      added: () => idsUpTo("+"),
      async acknowledged() {
        const [info] = (await server.command("XINFO", "GROUPS", stream)) as [string[]];
        // In this order: what is delivered in between does not count, what is acknowledged in between may.
        const delivered = await idsUpTo(String(info[info.indexOf("last-delivered-id") + 1]));
        const held = new Set((await pending()).map(({ id }) => id));
        return delivered.filter((id) => !held.has(id));
      },
      pending,
      async deadLetters() {
        const entries = await server.command("XRANGE", `rb:{${stream}}:dead:${stream}:${group}`, "-", "+");
        return (entries as [string, string[]][]).map(([, fields]) => {
          const names = fields.filter((_, index) => index % 2 === 0);
          return Object.fromEntries(names.map((name, index) => [name, fields[index * 2 + 1] ?? ""]));
        });
      },
    };
  };
}

/** What the worker has logged under this name. */
export function logged({ lines }: WorkerProcess, event: string): readonly LogLine[] {
  return lines.map((line) => JSON.parse(line) as LogLine).filter((line) => line.event === event);
}

/** Waits until the worker has logged such an event, and gives it. */
export async function whenLogged(worker: WorkerProcess, event: string): Promise<LogLine> {
  const isIt = (line: string): boolean => (JSON.parse(line) as LogLine).event === event;
  return JSON.parse(await worker.waitForLine(isIt, { timeoutMs: 20_000 })) as LogLine;
}
