import { Queue } from "bullmq";
import { contenderScript } from "../build.ts";
import { runContender } from "../contender.ts";
import { ordersAsObjects } from "../orders.ts";
import type { Bench, Scenario } from "../scenario.ts";
import { consumingArena, taskOf } from "./consuming.ts";

// The process that adds them is not measured.
const FILL_STEP = 1_000;
const QUEUE = "bench-bullmq";

export const BULLMQ: Scenario = {
  name: "bullmq-100",
  what: "BullMQ with concurrency 100, batch 100",
  oursName: "Consumer.run",
  referenceName: "BullMQ",
  targets: [{ metric: "messages/s", of: "ratio", bound: "at least", value: 15 }],
  prepare: async (bench) => {
    const messages = bench.quick ? 75_000 : 300_000;
    const load = { stream: "bench:bullmq-100", batchSize: 100, messages, warmUp: bench.quick ? 25_000 : 50_000 };
    const ours = { contender: "consumer-run" };
    const arena = await consumingArena(bench, load, ours, ours);
    return { ...arena, reference: () => workOff(bench, bench.quick ? 6_000 : 60_000) };
  },
};

async function workOff(bench: Bench, jobs: number) {
  const connection = { host: bench.server.host, port: bench.server.port };
  const queue = new Queue(QUEUE, { connection });
  for (let left = jobs; left > 0; left -= FILL_STEP) {
    const data = [...ordersAsObjects(Math.min(left, FILL_STEP))];
    await queue.addBulk(data.map((order) => ({ name: "order", data: order, opts: { removeOnComplete: true } })));
  }
  const load = { stream: QUEUE, batchSize: 100, messages: jobs, warmUp: jobs / 5 };
  const task = taskOf(bench, { ...load, group: "", variant: "", maxWaitMs: 0 });
  const figures = await runContender(contenderScript("bullmq"), task, bench.server);
  await queue.obliterate({ force: true });
  await queue.close();
  return figures;
}
