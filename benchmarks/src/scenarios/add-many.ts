import { contenderScript } from "../build.ts";
import { runContender } from "../contender.ts";
import type { Figures } from "../figures.ts";
import type { Arena, Bench, Scenario } from "../scenario.ts";
import { taskOf } from "./consuming.ts";

const STREAM = "bench:add-many";

export const ADD_MANY: Scenario = {
  name: "add-many",
  what: "adding messages from a source that makes each one on demand",
  oursName: "Producer.addMany",
  referenceName: "pipelines of 1,000 XADDs",
  targets: [
    { metric: "client CPU µs/message", of: "ratio", bound: "at most", value: 0.35 },
    { metric: "messages/s", of: "ratio", bound: "at least", value: 2.5 },
  ],
  prepare: async (bench) => addArena(bench, "producer-add-many", "raw-pipeline"),
};

/** Two contenders, by their names, that add the same messages. */
export const addArena = (bench: Bench, ours: string, reference: string): Arena => ({
  ours: () => add(bench, ours),
  reference: () => add(bench, reference),
});

async function add(bench: Bench, contender: string): Promise<Figures> {
  const messages = bench.quick ? 60_000 : 300_000;
  const task = taskOf(bench, {
    ...{ stream: STREAM, group: "", batchSize: 1, maxWaitMs: 0, variant: "" },
    ...{ messages, warmUp: messages / 3 },
  });
  const figures = await runContender(contenderScript(contender), task, bench.server);
  await bench.redis.unlink(STREAM);
  return figures;
}
