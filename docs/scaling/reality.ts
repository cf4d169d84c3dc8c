/**
 * `pnpm simulate:real [--runs 2]`: runs one trace twice, in the simulator and in reality, and prints both. In reality there are a Redis
 * server, the scaler, and consumers that wait as long for each message as the simulated ones work. It takes seven minutes for each run.
 */
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Batch, Consumer, Producer } from "@redis-batch/consumer";
import { type Decision, type Executor, Scaler } from "@redis-batch/scaler";
import { compare, POLICIES, type Policy, SCENARIO_DEFAULTS, type Scenario, type Traffic } from "@redis-batch/simulator";
import { RedisServer, uniqueName } from "@redis-batch/test-support";
import { table } from "./table.ts";

const { values } = parseArgs({ options: { runs: { type: "string", default: "1" } } });

const START_MS = 4_000;
const INTERVAL_MS = 5_000;
const TICK_MS = 10;
const SEED = 1;
const AFTER_MS = 20_000;
const scenario: Scenario = {
  ...SCENARIO_DEFAULTS,
  ...{ name: "real", title: "20/s, then 90/s for two and a half minutes, then 20/s", seconds: 420, objective: 10 },
  ...{ maxConsumers: 12, firstConsumers: 1, batchSize: 10, linger: 1, overhead: 0.05, leaseSeconds: 15 },
  ...{ work: { mean: 0.04, variation: 1 }, startUp: { mean: START_MS / 1_000, variation: 0 } },
  ...{ warmUp: { seconds: 0, factor: 1 }, unlikeness: 0 },
  rate: (at) => (at >= 90 && at < 240 ? 90 : 20),
};

/** What both are compared by. */
interface Figures {
  readonly latePercent: number;
  readonly p99Seconds: number;
  readonly consumerHours: number;
  readonly moves: readonly string[];
}

function rowOf({ latePercent, p99Seconds, consumerHours, moves }: Figures): string[] {
  return [latePercent.toFixed(2), `${p99Seconds.toFixed(1)} s`, consumerHours.toFixed(3), moves.join(", ")];
}

async function simulateTrace(): Promise<{ readonly traffic: Traffic; readonly figures: Figures }> {
  const ours = POLICIES.find(({ name }) => name === "throughput") as Policy;
  const seen: Traffic[] = [];
  const moves: string[] = [];
  let last = scenario.firstConsumers;
  const policy: Policy = {
    ...ours,
    start(of, all) {
      seen.push(all);
      return ours.start(of, all);
    },
  };
  const onDecision = ({ at, desired }: { readonly at: number; readonly desired: number }): void => {
    if (desired !== last) moves.push(`${Math.round(at)}: ${desired}`);
    last = desired;
  };
  for await (const row of compare({ policies: [policy], scenarios: [scenario], seeds: [SEED], onDecision })) {
    const { violationPercent: latePercent, p99Seconds, consumerHours } = row;
    return { traffic: seen[0] as Traffic, figures: { latePercent, p99Seconds, consumerHours, moves } };
  }
  throw new Error("the simulation gave no result");
}

/** Consumers in this process, each of which takes a while to start. */
class Consumers implements Executor {
  readonly name = "in-process";
  readonly moves: string[] = [];
  readonly #work: (signal: AbortSignal) => Promise<void>;
  readonly #beganAtMs: number;
  readonly #there: { readonly stop: AbortController; readonly gone: Promise<void> }[] = [];
  readonly #all: Promise<void>[] = [];
  readonly #alive = new Set<number>();
  #totalMs = 0;

  /** @param work runs a consumer until the signal aborts */
  constructor(work: (signal: AbortSignal) => Promise<void>, beganAtMs: number) {
    this.#work = work;
    this.#beganAtMs = beganAtMs;
    this.#add(0);
  }

  /** Of all consumers together, from the order until they were gone, or until now. */
  hoursUntilNow(): number {
    const nowMs = performance.now();
    return [...this.#alive].reduce((sum, fromMs) => sum + nowMs - fromMs, this.#totalMs) / 3_600_000;
  }

  status(): Promise<{ desired: number; ready: null; startingMs: []; startUpsMs: [] }> {
    return Promise.resolve({ desired: this.#there.length, ready: null, startingMs: [], startUpsMs: [] });
  }

  scale({ desired }: Decision): Promise<void> {
    this.moves.push(`${Math.round((performance.now() - this.#beganAtMs) / 1_000)}: ${desired}`);
    while (this.#there.length < desired) this.#add(START_MS);
    for (const { stop } of this.#there.splice(desired)) stop.abort();
    return Promise.resolve();
  }

  async close(): Promise<void> {
    for (const { stop } of this.#there.splice(0)) stop.abort();
    await Promise.all(this.#all);
  }

  #add(startMs: number): void {
    const stop = new AbortController();
    const gone = this.#live(startMs, stop.signal);
    this.#there.push({ stop, gone });
    this.#all.push(gone);
  }

  async #live(startMs: number, signal: AbortSignal): Promise<void> {
    const fromMs = performance.now();
    this.#alive.add(fromMs);
    const isUp = await wait(startMs, true, { signal }).catch(() => false);
    if (isUp) await this.#work(signal);
    this.#alive.delete(fromMs);
    this.#totalMs += performance.now() - fromMs;
  }
}

async function runTrace({ arrivesAt, work, count }: Traffic): Promise<Figures> {
  await using server = await RedisServer.start();
  const [stream, group] = [uniqueName("stream"), "group"];
  await server.command("XGROUP", "CREATE", stream, group, 0, "MKSTREAM");
  await using producer = new Producer({ redis: server.options, stream });
  const { batchSize, leaseSeconds, linger, objective, maxConsumers, overhead } = scenario;
  const beganAtMs = performance.now();
  const tookSeconds: number[] = [];
  const options = { redis: server.options, stream, group, batchSize, maxWaitMs: linger * 1_000 };
  const handle = async (batch: Batch): Promise<void> => {
    const numbers = batch.messages.map(({ fields }) => Number(fields["n"]));
    await wait(1_000 * numbers.reduce((sum, number) => sum + (work[number] ?? 0), overhead));
    batch.ack();
    const at = (performance.now() - beganAtMs) / 1_000;
    for (const number of numbers) tookSeconds.push(at - (arrivesAt[number] ?? at));
  };
  const consumers = new Consumers(async (signal) => {
    await using consumer = new Consumer({ ...options, leaseMs: leaseSeconds * 1_000 });
    await consumer.run(handle, { signal });
  }, beganAtMs);
  const scaler = new Scaler({
    ...{ redis: server.options, stream, group },
    ...{ maxConsumers, objectiveMs: objective * 1_000 },
  });
  const scaling = scaler.run({ intervalMs: INTERVAL_MS, executor: consumers });
  for (let added = 0; added < count; await wait(TICK_MS)) {
    const at = (performance.now() - beganAtMs) / 1_000;
    const from = added;
    while (added < count && (arrivesAt[added] ?? 0) <= at) added++;
    await Promise.all(Array.from({ length: added - from }, (_, index) => producer.add({ n: String(from + index) })));
  }
  await wait(Math.max(0, scenario.seconds * 1_000 - (performance.now() - beganAtMs)));
  await scaler.close();
  await scaling;
  const consumerHours = consumers.hoursUntilNow();
  await wait(AFTER_MS);
  await consumers.close();
  const sorted = tookSeconds.toSorted((left, right) => left - right);
  return {
    latePercent: (100 * sorted.filter((seconds) => seconds > objective).length) / count,
    p99Seconds: sorted[Math.floor(0.99 * sorted.length)] ?? Number.NaN,
    ...{ consumerHours, moves: consumers.moves },
  };
}

const { traffic, figures: simulated } = await simulateTrace();
const rows = [["simulated", ...rowOf(simulated)]];
for (let run = 1; run <= Number(values.runs); run++) rows.push([`real, run ${run}`, ...rowOf(await runTrace(traffic))]);
const head = ["", "late %", "99th percentile", "consumer-hours", "moves (seconds from the beginning: consumers)"];
console.log(table(head, rows));
