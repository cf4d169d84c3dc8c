/** Several scalers of a group with executors: one acts, the next one goes on where it was, and an earlier one is refused. */

import { createRedisStreamClient } from "@redis-batch/core/internal/connection";
import { groupKey } from "@redis-batch/core/internal/names";
import { type Clock, systemClock, systemRandom } from "@redis-batch/core/internal/service";
import { EventRecorder, eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { afterEach, describe, expect, it } from "vitest";
import {
  type Decision,
  type Executor,
  type Order,
  Scaler,
  type ScalerEvent,
  type ScalerOptions,
} from "../src/index.ts";

const redis = useServer();
const made: Scaler[] = [];
afterEach(async () => {
  await Promise.all(made.splice(0).map((scaler) => scaler.close()));
});

const ratio = { strategy: "ratio", scaleOutRate: 60, scaleInRate: 20, scaleOutCooldownMs: 600_000 } as const;
const FAST = { intervalMs: 100, leaseMs: 1_000 };

async function bench() {
  const { server } = redis;
  const stream = uniqueName("stream");
  const group = "group";
  await server.command("XGROUP", "CREATE", stream, group, 0, "MKSTREAM");
  await server.command("XADD", stream, "*", "n", 1);
  const key = (kind: Parameters<typeof groupKey>[0]) => groupKey(kind, stream, group);
  return {
    ...{ server, stream, group, key },
    scaler: (options: Partial<ScalerOptions> = {}) => {
      const events = new EventRecorder<ScalerEvent>();
      const scaler = new Scaler({
        redis: server.options,
        stream,
        group,
        observer: events.observe,
        ...ratio,
        ...options,
      });
      made.push(scaler);
      return { scaler, events };
    },
    audit: async () => {
      const entries = (await server.command("XRANGE", key("audit"), "-", "+")) as [string, string[]][];
      return entries.map(([, fields]) => {
        const pairs = fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1] ?? ""] as const] : []));
        return Object.fromEntries(pairs);
      });
    },
  };
}

function numbers(onScale: () => Promise<void> = async () => {}) {
  const orders: (Order & { readonly desired: number })[] = [];
  const heard: Decision[] = [];
  let resigned = 0;
  const executor: Executor = {
    name: "numbers",
    async status() {
      const desired = orders.at(-1)?.desired ?? 1;
      return { desired, ready: desired, startingMs: [], startUpsMs: [] };
    },
    onDecision: (decision) => void heard.push(decision),
    async scale(decision, _, order) {
      await onScale();
      orders.push({ ...order, desired: decision.desired });
    },
    async onLeadershipLost() {
      resigned++;
    },
  };
  return { executor, orders, heard, resigned: () => resigned };
}

describe("leading", () => {
  it("one acts, the other watches what it decides, and goes on where it was when it is gone", async () => {
    const { scaler, stream, group } = await bench();
    const first = { ...scaler(), ...numbers() };
    const second = { ...scaler(), ...numbers() };
    const runs = [first.scaler.run({ ...FAST, executor: first.executor })];
    await first.events.waitFor("scaled");
    runs.push(second.scaler.run({ ...FAST, executor: second.executor }));
    expect(await second.events.waitFor("following")).toEqual({ type: "following", term: 1 });
    await eventually("the follower has heard the leader's decision", () => second.heard.length > 0);
    expect(second.events.all("decided")).toEqual([]);
    expect(first.orders).toEqual([{ stream, group, term: 1, sequence: 1, desired: 2 }]);
    await first.scaler.close();
    expect(await second.events.waitFor("leading")).toEqual({ type: "leading", term: 2 });
    const { decision } = await second.events.waitFor("decided");
    // It has not ordered anything itself: that there was a move just now is what the first one left.
    expect(decision).toMatchObject({ binding: "cooldown", direction: "NO_SCALE" });
    expect(second.orders).toEqual([]);
    await second.scaler.close();
    await Promise.all(runs);
  });

  it("does not give an order once another one leads, and gives up what only it knows of", async () => {
    const { scaler, server, key, audit } = await bench();
    const late = { ...scaler(), ...numbers() };
    const executor: Executor = {
      ...late.executor,
      // It is held up between its look at the lease and its order, until its lease has run out and another one leads.
      async status(signal) {
        await server.command("SET", key("lease:scaler"), "another");
        await server.command("HINCRBY", key("scaler"), "term", 1);
        return late.executor.status(signal);
      },
    };
    const run = late.scaler.run({ ...FAST, executor });
    expect(await late.events.waitFor("superseded")).toMatchObject({ from: 1, to: 2, executor: "numbers" });
    expect(await late.events.waitFor("following")).toEqual({ type: "following", term: 2 });
    expect(late.orders).toEqual([]);
    expect(late.resigned()).toBe(1);
    expect(await audit()).toEqual([]);
    await late.scaler.close();
    await run;
    expect(await server.command("GET", key("lease:scaler"))).toBe("another");
  });

  it("gives no order when it was frozen, after that was on record, for longer than its lease", async () => {
    const { server, stream, group } = await bench();
    const events = new EventRecorder<ScalerEvent>();
    const late = numbers();
    let stoodStillMs = 0;
    const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + stoodStillMs };
    const createClient: typeof createRedisStreamClient = (options) => {
      const client = createRedisStreamClient(options);
      const writeInTerm = client.writeInTerm.bind(client);
      return Object.assign(client, {
        writeInTerm: async (...given: Parameters<typeof writeInTerm>) => {
          const isWritten = await writeInTerm(...given);
          stoodStillMs = FAST.leaseMs;
          return isWritten;
        },
      });
    };
    const options = { redis: server.options, stream, group, observer: events.observe, ...ratio };
    const scaler = new Scaler(options, { clock, random: systemRandom, createClient });
    made.push(scaler);
    const run = scaler.run({ ...FAST, executor: late.executor });
    expect(await events.waitFor("superseded")).toMatchObject({ from: 1, to: 2 });
    expect(late.orders).toEqual([]);
    await scaler.close();
    await run;
  });

  it("tells an executor that is still at work when another scaler may lead by now", async () => {
    const { scaler } = await bench();
    const { scaler: slow, events } = scaler();
    const executor: Executor = {
      ...numbers().executor,
      scale: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        }),
    };
    const run = slow.run({ ...FAST, executor });
    const { error } = await events.waitFor("scaleFailed");
    expect(error.message).toBe("another scaler may lead by now");
    await slow.close();
    await run;
  });

  it("remembers across a restart, and has a term of its own then", async () => {
    const { scaler } = await bench();
    const before = { ...scaler(), ...numbers() };
    const first = before.scaler.run({ ...FAST, executor: before.executor });
    await before.events.waitFor("scaled");
    await before.scaler.close();
    await first;
    const after = { ...scaler(), ...numbers() };
    const second = after.scaler.run({ ...FAST, executor: after.executor });
    expect(await after.events.waitFor("leading")).toMatchObject({ term: 2 });
    expect((await after.events.waitFor("decided")).decision.binding).toBe("cooldown");
    await after.scaler.close();
    await second;
  });
});

describe("the audit log", () => {
  it("reports every order, its reason and its result", async () => {
    let attempts = 0;
    const { scaler, audit } = await bench();
    const { executor } = numbers(async () => {
      if (++attempts === 1) throw new Error("no room");
    });
    const { scaler: one, events } = scaler({ scaleOutCooldownMs: 0 });
    const run = one.run({ ...FAST, executor });
    await events.waitFor("scaled");
    await one.close();
    await run;
    const [order, failed, again, done] = await audit();
    const { decision } = events.all("decided")[0] ?? {};
    const told = { v: "1", what: "order", term: "1", executor: "numbers", direction: "OUT", from: "1", to: "2" };
    expect(order).toMatchObject({ ...told, sequence: "1", reason: decision?.reason });
    expect(JSON.parse(order?.["decision"] ?? "")).toEqual(decision);
    expect(failed).toEqual({ v: "1", what: "failed", term: "1", sequence: "1", code: "UNKNOWN", error: "no room" });
    expect(again).toMatchObject({ ...told, sequence: "2" });
    expect(done).toEqual({ v: "1", what: "done", term: "1", sequence: "2" });
  });
});

describe("a dry run", () => {
  it.each([true, false])("leaves nothing in Redis; with an executor: %s", async (hasExecutor) => {
    const { scaler, server, key } = await bench();
    const { scaler: dry, events } = scaler();
    const { executor, orders, heard } = numbers();
    const run = dry.run({ intervalMs: 100, dryRun: true, ...(hasExecutor && { executor }) });
    await eventually("it has looked more than once", () => events.all("decided").length > 1);
    await dry.close();
    await run;
    expect(events.all("decided")[0]).toMatchObject({ executor: null });
    expect({ orders, heard }).toEqual({ orders: [], heard: [] });
    const keys = [key("lease:scaler"), key("scaler"), key("audit")];
    expect(await server.command("EXISTS", ...keys)).toBe(0);
  });
});
