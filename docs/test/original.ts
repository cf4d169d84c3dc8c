/**
 * The Python original, beside us on one stream. `REDIS_BATCH_ORIGINAL` is the PYTHONPATH that has its `redis_streams` and
 * the client `redis`: then it is run itself, by `original.py`. Without it there is a re-enactment: the commands that its
 * Monitor and its Consumer send, in their order, by no code of the original.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { RedisServer, Reply } from "@redis-batch/test-support";

export interface Place {
  readonly server: RedisServer;
  readonly stream: string;
  readonly group: string;
}

/** Its names for its settings, and its defaults. */
export interface MonitorSettings {
  readonly batch_size?: number;
  readonly min_wait_time_ms?: number;
  readonly idle_time_ms_warning_threshold?: number;
}

/** A part of it at work, pass by pass, until it is stopped. */
export interface Part extends AsyncDisposable {
  readonly passes: () => number;
}

export interface Original {
  readonly name: string;
  readonly monitor: (place: Place, settings: MonitorSettings, autoCleanup: boolean) => Part;
  /** Counts each message in this hash before it acknowledges it. */
  readonly consumer: (place: Place, ledger: string) => Part;
}

const CONSUMER = { consumer_id: "python", batch_size: 10, max_wait_time_ms: 200, poll_time_ms: 50 };

function itself(pythonPath: string): Original {
  const run = ({ server, stream, group }: Place, task: object): Part => {
    const script = fileURLToPath(new URL("original.py", import.meta.url));
    const given = JSON.stringify({ port: server.port, stream, group, ...task });
    const child = spawn("python3", [script, given], {
      ...{ stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, PYTHONPATH: pythonPath } },
    });
    let passes = 0;
    createInterface(child.stdout).on("line", () => passes++);
    const ended = once(child, "exit");
    return {
      passes: () => passes,
      async [Symbol.asyncDispose]() {
        child.kill("SIGKILL");
        await ended;
      },
    };
  };
  return {
    name: "the original itself",
    monitor: (place, settings, autoCleanup) => run(place, { part: "monitor", settings, autoCleanup }),
    consumer: (place, ledger) => run(place, { part: "consumer", settings: CONSUMER, ledger }),
  };
}

function repeat(pass: () => Promise<void>): Part {
  let passes = 0;
  const over = new AbortController();
  const working = (async () => {
    while (!over.signal.aborted) {
      await pass();
      passes++;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  return {
    passes: () => passes,
    async [Symbol.asyncDispose]() {
      over.abort();
      await working;
    },
  };
}

/** A reply of names and values in turn. */
function fieldsOf(reply: Reply): Readonly<Record<string, string | number>> {
  const flat = reply as (string | number)[];
  return Object.fromEntries(flat.flatMap((name, at) => (at % 2 === 0 ? [[String(name), flat[at + 1] ?? ""]] : [])));
}

const REENACTED: Original = {
  name: "its commands, re-enacted",
  monitor({ server, stream, group }, settings, autoCleanup) {
    const { batch_size: most = 2, min_wait_time_ms: minIdleMs = 1_000 } = settings;
    const { idle_time_ms_warning_threshold: longestIdleMs = 30_000 } = settings;
    return repeat(async () => {
      const unhealthy: [name: string, pending: number][] = [];
      let target = "";
      for (const found of (await server.command("XINFO", "GROUPS", stream)) as Reply[]) {
        const of = String(fieldsOf(found)["name"]);
        for (const each of (await server.command("XINFO", "CONSUMERS", stream, of)) as Reply[]) {
          const { name, pending, idle } = fieldsOf(each);
          if (Number(pending) > most || Number(idle) > longestIdleMs) unhealthy.push([String(name), Number(pending)]);
          // Of those that are well, in fact, the last one.
          else target = String(name);
        }
      }
      if (!autoCleanup || target === "") return;
      for (const [name, pending] of unhealthy) {
        // The client that the original uses sends no XPENDING for a count of 0.
        const range = pending === 0 ? [] : await server.command("XPENDING", stream, group, "-", "+", pending, name);
        const ids = (range as [string][]).map(([id]) => id);
        if (ids.length > 0) await server.command("XCLAIM", stream, group, target, minIdleMs, ...ids);
        await server.command("XGROUP", "DELCONSUMER", stream, group, name);
      }
    });
  },
  consumer({ server, stream, group }, ledger) {
    const { consumer_id: me, batch_size: size, max_wait_time_ms: waitMs, poll_time_ms: pollMs } = CONSUMER;
    const read = async (most: number, from: string): Promise<string[]> => {
      const reply = await server.command(
        ...(["XREADGROUP", "GROUP", group, me, "COUNT", most, "BLOCK", pollMs, "STREAMS", stream, from] as const),
      );
      return ((reply as [string, [string][]][] | null)?.[0]?.[1] ?? []).map(([id]) => id);
    };
    return repeat(async () => {
      const untilMs = performance.now() + waitMs;
      let held = ((await server.command("XPENDING", stream, group, "-", "+", size, me)) as unknown[]).length;
      while (held < size && performance.now() <= untilMs) held += (await read(size - held, ">")).length;
      for (const id of await read(size, "0")) {
        await server.command("HINCRBY", ledger, id, 1);
        await server.command("XACK", stream, group, id);
      }
    });
  },
};

const pythonPath = process.env["REDIS_BATCH_ORIGINAL"];

/** The original itself where it is, and always the re-enactment. */
export const ORIGINALS: readonly Original[] = [...(pythonPath === undefined ? [] : [itself(pythonPath)]), REENACTED];
