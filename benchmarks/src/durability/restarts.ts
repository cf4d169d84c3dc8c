/** What is lost when a server without replicas ends, or runs out of memory. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { RedisServer, type ServerVersion } from "@redis-batch/test-support";
import { Load, numbersAt, type Tally } from "./load.ts";

const LOAD_MS = 2_500;

export const PERSISTENCE = {
  "no append-only file": { persistence: "none" },
  "`appendfsync everysec`": { persistence: "everysec" },
  "`appendfsync always`": { persistence: "aof" },
} as const;

/** `killed`: what the operating system has in memory survives. `power cut`: only what was synced to disk does. */
export const ENDS = ["the server's process is killed (`kill -9`)", "power cut of its machine"] as const;

export async function measureEnd(
  end: (typeof ENDS)[number],
  name: keyof typeof PERSISTENCE,
  version: ServerVersion,
): Promise<Tally> {
  await using server = await RedisServer.start({ version, ...PERSISTENCE[name], listen: "tcp" });
  const disk = end === "power cut of its machine" && name !== "no append-only file" ? await Disk.of(server) : undefined;
  await using load = new Load({ redis: server.url });
  await load.untilConfirmed(100);
  // At another moment of the second between two syncs each time.
  await pause(LOAD_MS + 1_000 * Math.random());
  await server.kill();
  await disk?.cutPower();
  await server.restart();
  await load.stop();
  return load.tally(await numbersAt(server));
}

/**
 * The disk under a server's append-only file, as a power cut leaves it. strace shows what the server has written, and when
 * a sync has ended; everything written after the beginning of the last such sync is cut off.
 */
class Disk {
  readonly #tracer: ChildProcess;
  readonly #log: string;

  private constructor(tracer: ChildProcess, log: string) {
    this.#tracer = tracer;
    this.#log = log;
  }

  static async of(server: RedisServer): Promise<Disk> {
    const log = join(tmpdir(), `rb-durability-${server.pid}.strace`);
    const calls = "trace=write,writev,fdatasync,fsync";
    const args = ["-f", "-y", "-s", "0", "-e", calls, "-o", log, "-p", String(server.pid)];
    const tracer = spawn("strace", args, { stdio: ["ignore", "ignore", "pipe"] });
    if (tracer.stderr !== null) await once(tracer.stderr, "data");
    return new Disk(tracer, log);
  }

  async cutPower(): Promise<void> {
    if (this.#tracer.exitCode === null) await once(this.#tracer, "exit");
    const { path, syncedBytes, writtenBytes } = readTrace(await readFile(this.#log, "utf8"));
    if (path === undefined) throw new Error("the server has written no append-only file");
    if (syncedBytes > writtenBytes) throw new Error("more was synced than written");
    await truncate(path, syncedBytes);
  }
}

interface Trace {
  readonly path: string | undefined;
  readonly writtenBytes: number;
  readonly syncedBytes: number;
}

/** Counts what was written to the append-only file, and how much of it the last sync that ended had found there. */
function readTrace(text: string): Trace {
  let path: string | undefined;
  let writtenBytes = 0;
  let syncedBytes = 0;
  /** What was written when each thread began its sync. */
  const syncing = new Map<string, number>();
  const writing = new Set<string>();
  for (const line of text.split("\n")) {
    const [, thread = "", call = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const file = /^(?:write|writev|fdatasync|fsync)\(\d+<([^>]*\.incr\.aof)>/.exec(call)?.[1];
    const isResumed = /^<\.\.\. (\w+) resumed>/.exec(call)?.[1];
    const name = isResumed ?? /^\w+/.exec(call)?.[0] ?? "";
    const isSync = name === "fdatasync" || name === "fsync";
    const isMeant = file !== undefined || (isResumed !== undefined && (isSync ? syncing : writing).has(thread));
    if (!isMeant) continue;
    path ??= file;
    if (isSync && isResumed === undefined) syncing.set(thread, writtenBytes);
    if (!isSync && isResumed === undefined) writing.add(thread);
    const result = / = (-?\d+)/.exec(call)?.[1];
    if (result === undefined) continue;
    if (isSync) syncedBytes = Math.max(syncedBytes, syncing.get(thread) ?? 0);
    else writtenBytes += Number(result);
    (isSync ? syncing : writing).delete(thread);
  }
  return { path, writtenBytes, syncedBytes };
}

export const POLICIES = ["noeviction", "volatile-lru", "allkeys-lru", "allkeys-random"] as const;

/** The memory is full: what the policy evicts, and what the producer gets to know. */
export async function measureEviction(policy: (typeof POLICIES)[number], version: ServerVersion): Promise<Tally> {
  const config = ["maxmemory 8mb", `maxmemory-policy ${policy}`];
  await using server = await RedisServer.start({ version, config });
  // Somebody else's cache.
  for (let key = 0; key < 100; key++) await server.command("SET", `cache:${key}`, "x".repeat(1_000));
  await using load = new Load({ redis: server.url }, 2_000);
  await pause(LOAD_MS);
  await load.stop();
  return load.tally(await numbersAt(server));
}
