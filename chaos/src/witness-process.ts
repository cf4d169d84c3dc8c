/** The witness: reads the group's pending list repeatedly, and records the owner of each message. */
import { setTimeout as pause } from "node:timers/promises";
import { RedisServer } from "@redis-batch/test-support";
import { entryName } from "./entry.ts";
import { Journal, type WitnessLine } from "./journal.ts";
import { compareOwners, type Ownership } from "./liveness/ownership.ts";
import { SLOW_LOOK_MS } from "./liveness/server-stalls.ts";
import type { WitnessTask } from "./tasks.ts";
import { findMaster } from "./topology/find-master.ts";

const PAGE = 5_000;

const task = JSON.parse(process.argv[2] ?? "") as WitnessTask;
const servers = {
  kind: task.kind,
  nodes: task.nodes.map((url) => RedisServer.external(url)),
  sentinels: task.sentinels.map((url) => RedisServer.external(url)),
};
using journal = new Journal<WitnessLine>(task.journal);
const ended = new AbortController();
process.on("SIGTERM", () => ended.abort());

let known: Ownership = new Map();
while (!ended.signal.aborted) {
  const master = await findMaster(servers, task.streams[0] as string).catch(() => undefined);
  const fromMs = performance.now();
  const seen = master === undefined ? undefined : await look(master);
  const tookMs = Math.round(performance.now() - fromMs);
  if (seen !== undefined) {
    const changes = compareOwners(known, seen);
    const isSlow = tookMs > SLOW_LOOK_MS;
    if (changes.length > 0 || isSlow) journal.write(isSlow ? { changes, tookMs } : { changes });
    known = seen;
  }
  await pause(task.everyMs, undefined, { signal: ended.signal }).catch(() => undefined);
}

/** `undefined`: the server did not tell, or a group is not there. */
async function look(server: RedisServer): Promise<Ownership | undefined> {
  const seen = new Map<string, readonly [string, number]>();
  try {
    for (const stream of task.streams) await lookAt(server, stream, seen);
    return seen;
  } catch {
    return undefined;
  }
}

async function lookAt(
  server: RedisServer,
  stream: string,
  seen: Map<string, readonly [owner: string, deliveries: number]>,
): Promise<void> {
  for (let from = "-"; ; ) {
    const reply = await server.command("XPENDING", stream, task.group, from, "+", PAGE);
    const page = reply as readonly [string, string, number, number][];
    for (const [id, owner, , deliveries] of page) seen.set(entryName(task.streams, stream, id), [owner, deliveries]);
    if (page.length < PAGE) return;
    from = `(${page.at(-1)?.[0] ?? ""}`;
  }
}
