/** `Consumer.run` against the loops that people write by hand over other clients, and at other sizes and servers. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { RedisServer, startCluster } from "@redis-batch/test-support";
import { Redis } from "ioredis";
import type { Figures, Metric, Target } from "../figures.ts";
import { type Arena, type Bench, CannotRunError, type Scenario } from "../scenario.ts";
import { type Consuming, consumingArena, loadOf } from "./consuming.ts";

const OURS: Consuming = { contender: "consumer-run", variant: "read" };
const RAW: Consuming = { contender: "raw-ioredis", variant: "read" };
const HIREDIS = fileURLToPath(new URL("../contenders/raw-hiredis.c", import.meta.url));

const costs = (value: number): Target => ({ metric: "client CPU µs/message", of: "ratio", bound: "at most", value });
const speed = (value: number): Target => ({ metric: "messages/s", of: "ratio", bound: "at least", value });
const LIMITED_BY_REDIS: Target = { metric: "client / server CPU", of: "ours", bound: "at most", value: 1 };

interface Comparison {
  readonly name: string;
  readonly what: string;
  readonly loop?: string;
  readonly targets: readonly Target[];
  readonly metrics?: readonly Metric[];
  readonly prepare: (bench: Bench) => Promise<Arena>;
}

/** All with a handler that reads a field of each message and acknowledges it. */
export const CLIENTS: readonly Scenario[] = (
  [
    {
      name: "consume-100",
      what: "a handler that reads a field of each message and acknowledges it, batch 100",
      targets: [costs(0.25), speed(3), LIMITED_BY_REDIS],
      prepare: (bench) => against(bench, 100, RAW),
    },
    ...(["ioredis-5", "iovalkey", "node-redis"] as const).map((client) => ({
      name: `consume-100-${client}`,
      what: `the same against ${client}`,
      loop: `raw ${client} loop`,
      targets: client === "ioredis-5" ? [costs(0.5), speed(2)] : [],
      prepare: (bench: Bench) => against(bench, 100, { ...RAW, contender: `raw-${client}` }),
    })),
    {
      name: "consume-100-hiredis",
      what: "the same against C",
      loop: "C loop over hiredis",
      targets: [speed(1)],
      prepare: againstHiredis,
    },
    { name: "consume-1", what: "batch 1", targets: [costs(1)], prepare: (bench) => against(bench, 1, RAW, 0.05) },
    { name: "consume-10", what: "batch 10", targets: [costs(0.5)], prepare: (bench) => against(bench, 10, RAW, 0.25) },
    {
      name: "consume-1000",
      what: "batch 1000",
      targets: [LIMITED_BY_REDIS],
      prepare: (bench) => against(bench, 1_000, RAW),
    },
    { name: "consume-tls", what: "batch 100 over TLS", targets: [costs(0.4)], prepare: overTls },
    { name: "consume-cluster", what: "batch 100 on a Cluster", targets: [costs(0.4)], prepare: onCluster },
    {
      name: "consume-two",
      what: "two processes at the same time, each with a group of its own, batch 100",
      targets: [{ metric: "server CPU ms/s", of: "ours", bound: "at least", value: 900 }],
      metrics: ["client CPU µs/message", "server CPU ms/s", "messages/s"],
      prepare: twoAtOnce,
    },
  ] satisfies Comparison[]
).map(({ loop = "raw ioredis loop", ...comparison }: Comparison) => ({
  ...comparison,
  ...{ oursName: "Consumer.run", referenceName: loop },
}));

async function against(bench: Bench, batchSize: number, loop: Consuming, share = 1): Promise<Arena> {
  const load = loadOf(bench, `bench:consume-${batchSize}`, batchSize, share);
  return withShares(await consumingArena(bench, load, OURS, loop));
}

/** What the client costs against the server, as well. */
function withShares(arena: Arena): Arena {
  const add = (figures: Figures): Figures => {
    const [client, server] = [figures["client CPU µs/message"], figures["server CPU µs/message"]];
    return client === undefined || server === undefined
      ? figures
      : { ...figures, "client / server CPU": client / server };
  };
  return {
    ...arena,
    ours: async (round) => add(await arena.ours(round)),
    reference: async (round) => add(await arena.reference(round)),
  };
}

async function againstHiredis(bench: Bench): Promise<Arena> {
  const folder = mkdtempSync(join(tmpdir(), "redis-batch-bench-"));
  const program = join(folder, "raw-hiredis");
  const { status, error } = spawnSync("cc", ["-O2", HIREDIS, "-o", program, "-lhiredis"]);
  const clean = (): void => rmSync(folder, { recursive: true });
  if (status !== 0) {
    clean();
    throw new CannotRunError(error === undefined ? "hiredis and its headers are missing" : "there is no C compiler");
  }
  const arena = await against(bench, 100, { ...RAW, options: { worker: { launcher: [program] } } });
  return {
    ...arena,
    close: async () => {
      await arena.close?.();
      clean();
    },
  };
}

async function overTls(bench: Bench): Promise<Arena> {
  const server = await RedisServer.start({ tls: "server" });
  return onServer(bench, server, () => server.stop());
}

async function onCluster(bench: Bench): Promise<Arena> {
  const cluster = await startCluster();
  const [node] = cluster.primaries;
  if (node === undefined) throw new CannotRunError("the cluster has no nodes");
  return onServer({ ...bench, isCluster: true }, node, () => cluster.stop());
}

async function onServer(bench: Bench, server: RedisServer, stop: () => Promise<void>): Promise<Arena> {
  const redis = new Redis({ ...server.options, replyMapping: "legacy" });
  // A third of the slots is the first node's of three.
  let stream = "bench:consume";
  while (bench.isCluster === true && (await redis.cluster("KEYSLOT", stream)) >= 5_000) stream += "0";
  const arena = await consumingArena({ ...bench, server, redis }, loadOf(bench, stream, 100), OURS, RAW);
  return {
    ...arena,
    close: async () => {
      redis.disconnect();
      await stop();
    },
  };
}

async function twoAtOnce(bench: Bench): Promise<Arena> {
  const load = loadOf(bench, "bench:consume-two", 100);
  const first = await consumingArena(bench, load, OURS, RAW);
  const second = await consumingArena(bench, { ...load, stream: `${load.stream}:second` }, OURS, RAW);
  return {
    ours: async (round) => (await Promise.all([first.ours(round), second.ours(round)]))[0],
    reference: async (round) => (await Promise.all([first.reference(round), second.reference(round)]))[0],
    close: async () => {
      await first.close?.();
      await second.close?.();
    },
  };
}
