import { contenderScript } from "../build.ts";
import { runContender } from "../contender.ts";
import type { Figures } from "../figures.ts";
import type { Bench, Scenario } from "../scenario.ts";
import { taskOf } from "./consuming.ts";

const PER_SECOND = 5_000;
const STREAM = "bench:trickle";

export const TRICKLE: Scenario = {
  name: "trickle-5000",
  what: "5,000 messages a second, added one by one, batch 100; the server's CPU without the part for adding",
  oursName: "Consumer.run",
  referenceName: "raw ioredis loop",
  targets: [
    { metric: "client CPU µs/message", of: "ratio", bound: "at most", value: 0.3 },
    { metric: "server CPU µs/message", of: "ratio", bound: "at most", value: 0.3 },
    { metric: "full batches", of: "ours", bound: "at least", value: 0.9 },
  ],
  prepare: async (bench) => {
    const seconds = bench.quick ? 1.5 : 5;
    let alone = 0;
    return {
      ours: async () => {
        // The cost of adding for the server when nobody waits for it, measured again for each pair.
        alone = await addAlone(bench, PER_SECOND * seconds);
        return followTrickle(bench, "consumer-run", seconds, alone);
      },
      reference: () => followTrickle(bench, "raw-ioredis", seconds, alone),
    };
  },
};

async function addAlone(bench: Bench, messages: number): Promise<number> {
  const task = producerTask(bench, messages);
  const figures = await runContender(contenderScript("trickle-producer"), task, bench.server);
  await bench.redis.unlink(STREAM);
  return figures["server CPU µs/message"] ?? 0;
}

async function followTrickle(bench: Bench, contender: string, seconds: number, alone: number): Promise<Figures> {
  const { redis, server } = bench;
  const group = "trickle";
  await redis.xgroup("CREATE", STREAM, group, "0", "MKSTREAM");
  const messages = PER_SECOND * seconds;
  const task = taskOf(bench, {
    ...{ stream: STREAM, group, batchSize: 100, maxWaitMs: 1_000, variant: "trickle" },
    ...{ messages, warmUp: messages / 3 },
  });
  const feed = async (): Promise<void> =>
    void (await runContender(contenderScript("trickle-producer"), producerTask(bench, messages), server));
  const figures = await runContender(contenderScript(contender), task, server, { feed, serverCpuOfOthers: alone });
  await redis.unlink(STREAM);
  return figures;
}

function producerTask(bench: Bench, messages: number) {
  return taskOf(bench, {
    ...{ stream: STREAM, group: "", batchSize: 1, maxWaitMs: 0, variant: String(PER_SECOND) },
    ...{ messages, warmUp: 0 },
  });
}
