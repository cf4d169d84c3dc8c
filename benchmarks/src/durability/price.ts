/** What waiting for replicas costs: a master and two replicas on this machine. */
import { Producer, type ProducerOptions } from "@redis-batch/consumer";
import { eventually, RedisServer, type ServerVersion } from "@redis-batch/test-support";
import { STREAM } from "./load.ts";

const WAITS = {
  "not waiting": undefined,
  "1 of 2 replicas": { count: 1, timeoutMs: 5_000 },
  "2 of 2 replicas": { count: 2, timeoutMs: 5_000 },
} as const satisfies Record<string, ProducerOptions["waitForReplicas"]>;
const ROUNDS = 7;

export async function measurePrice(version: ServerVersion): Promise<void> {
  await using master = await RedisServer.start({ version });
  await using first = await RedisServer.start({ version, replicaOf: master });
  await using second = await RedisServer.start({ version, replicaOf: master });
  for (const replica of [first, second]) {
    const follows = async () => (await replica.info("replication"))["master_link_status"] === "up";
    await eventually("the replica follows", follows, { timeoutMs: 30_000 });
  }
  const figures = new Map(
    Object.keys(WAITS).map((name) => [name, { aloneMs: [] as number[], many: [] as number[], each: [] as number[] }]),
  );
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, waitForReplicas] of Object.entries(WAITS)) {
      await using producer = new Producer({ redis: master.url, stream: STREAM, waitForReplicas });
      await producer.connect();
      const into = figures.get(name);
      const alone = await timeMs(async () => {
        for (let n = 0; n < 500; n++) await producer.add({ n });
      });
      const many = await timeMs(() => producer.addMany(Array.from({ length: 50_000 }, (_, n) => ({ n }))));
      const each = await timeMs(() =>
        Promise.all(
          Array.from({ length: 64 }, async () => {
            for (let n = 0; n < 200; n++) await producer.add({ n });
          }),
        ),
      );
      await master.command("DEL", STREAM);
      // The first round warms up.
      if (round === 0) continue;
      into?.aloneMs.push(alone / 500);
      into?.many.push(50_000 / inSeconds(many));
      into?.each.push((64 * 200) / inSeconds(each));
    }
  }
  console.log("| | one add after another, ms each | 64 at a time, messages a second | addMany, messages a second |");
  for (const [name, { aloneMs, many, each }] of figures) {
    const round = (value: number): string => Math.round(value).toLocaleString("en-US");
    console.log(`| ${name} | ${median(aloneMs).toFixed(2)} | ${round(median(each))} | ${round(median(many))} |`);
  }
}

const inSeconds = (ms: number): number => ms / 1_000;

async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}
