/** `orderBy`: keys whose messages fail, or wait for long, keep no other key waiting. */
import { groupKey } from "@redis-batch/core/internal/names";
import { eventually, fairNowMs, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import type { Message } from "../src/index.ts";
import { byKeyOf, finished, inTurn, named, nameOf, quick } from "./in-order.ts";
import { type Fields, useGroup } from "./liveness/group.ts";

const group = useGroup(useServer());

describe("a key whose first message never succeeds", () => {
  it("holds the stream up until that one has failed three times, and says so", async () => {
    const made = group();
    const done: string[] = [];
    const names = [...named("a", 12), ...named("b", 5)];
    const { consumer, events } = made.start(
      inTurn(done, (message) => {
        if (nameOf(message) !== "a1") return false;
        message.retry({ delayMs: 200 });
        return true;
      }),
      { ...quick, batchSize: 1, prefetch: 0, maxDeferred: 6, concurrency: 2 },
    );
    await made.add(...names);
    await events.waitFor((event) => event.type === "intakeHeld" && event.by === "key-blocked");
    // Who looks at the group from outside sees it in the heartbeat.
    await eventually("its heartbeat tells what waits", async () => {
      const key = groupKey("consumers", made.stream, made.group);
      const told = String(await made.server.command("HGET", key, consumer.name));
      const { isAlone, parked, blockedKeys } = JSON.parse(told) as Readonly<Record<string, unknown>>;
      return isAlone === true && Number(parked) > 0 && blockedKeys === 1;
    });
    expect(await finished(made, done)).toEqual(byKeyOf(names.slice(1)));
    expect(events.all("deadLettered")).toMatchObject([{ why: "blocks-key" }]);
    expect(made.offersOf("a1").length).toBeGreaterThanOrEqual(3);
    await events.waitFor("intakeOpened");
  });

  it("stays while the sink is down, however full of waiting messages the consumer is", async () => {
    const made = group();
    const done: string[] = [];
    const keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const names = Array.from({ length: 12 }, (_, at) => keys.map((key) => `${key}${at}`)).flat();
    let isDown = false;
    const { events } = made.start(
      inTurn(done, () => {
        if (isDown) throw new Error("the sink is down");
      }),
      { ...quick, maxDeferred: 5, maxDeliveries: 1_000 },
    );
    await made.add("a", "b", "c");
    await eventually("it works", () => done.length === 3);
    isDown = true;
    await made.add(...names);
    await events.waitFor((event) => event.type === "intakeHeld" && event.by === "backing-off");
    // Long enough for each of them to be given up, if failures counted.
    await eventually("all that may wait here has been read, and the first ones were tried again and again", () =>
      keys.every((key) => made.offersOf(`${key}0`).length >= 4),
    );
    isDown = false;
    expect(await finished(made, done)).toEqual(byKeyOf(["a", "b", "c", ...names]));
    expect([await made.deadLetters(), events.all("deadLettered")]).toEqual([[], []]);
  });

  it("is tried again as soon as its delay is over, although nothing fills its batch", async () => {
    const made = group();
    const done: string[] = [];
    let isFirst = true;
    made.start(
      inTurn(done, () => {
        if (!isFirst) return false;
        isFirst = false;
        throw new Error("not yet");
      }),
      { ...quick, maxWaitMs: 60_000 },
    );
    await made.add(...named("a", 5));
    await eventually("they are done", () => done.length === 5, { timeoutMs: 20_000 });
    expect(done).toEqual(named("a", 5));
  });

  it("is not given up for what failed before it in its batches", async () => {
    const made = group();
    const done: string[] = [];
    const names = named("a", 30);
    const failed = new Set<string>();
    const { events } = made.start(
      async (batch) => {
        for (const message of batch) {
          if (!failed.has(nameOf(message))) {
            failed.add(nameOf(message));
            // Those behind it are left for later.
            return message.retry({ delayMs: 20 });
          }
          done.push(nameOf(message));
          message.ack();
        }
      },
      { ...quick, maxDeferred: 5, maxDeliveries: 1_000 },
    );
    await made.add(...names);
    expect(await finished(made, done)).toEqual(byKeyOf(names));
    expect(events.all("deadLettered")).toEqual([]);
  });

  it("is not given up by a process that finds the sink down, however often it failed elsewhere", async () => {
    const made = group();
    const done: string[] = [];
    const names = named("a", 20);
    // It fails once in each process.
    const retry = { baseMs: 900, capMs: 900 };
    const options = { ...quick, batchSize: 1, prefetch: 0, maxDeferred: 6, maxDeliveries: 1_000, retry };
    await made.add(...names);
    const first = made.start(
      (batch) => batch.messages.forEach((message) => message.retry({ delayMs: 60_000 })),
      options,
    );
    await first.events.waitFor((event) => event.type === "intakeHeld" && event.by === "key-blocked");
    await first.consumer.close();
    const fail = inTurn(done, () => {
      throw new Error("the sink is down");
    });
    for (let life = 0; life < 3; life++) {
      const { consumer, events } = made.start(fail, options);
      await events.waitFor("handlerFailed");
      await consumer.close();
    }
    made.start(inTurn(done), options);
    expect(await finished(made, done)).toEqual(byKeyOf(names));
    expect(await made.deadLetters()).toEqual([]);
  });

  it("does not await a time that is a day away", async () => {
    const made = group();
    const done: string[] = [];
    const names = ["a1", "b1", "a2", "c1", ...named("a", 6, 3), "b2", "b3", "c2"];
    made.start(
      inTurn(done, (message) => {
        if (nameOf(message) !== "a1") return false;
        message.retry({ delayMs: 86_400_000 });
        return true;
      }),
      { ...quick, batchSize: 1, prefetch: 0, maxDeferred: 4 },
    );
    await made.add(...names);
    // Others show that the sink is there.
    await eventually("the first one was offered again", () => made.offersOf("a1").length > 1, { timeoutMs: 10_000 });
    await made.add("d1");
    await eventually("it was offered again", () => made.offersOf("a1").length > 2, { timeoutMs: 10_000 });
    await made.add("d2");
    expect(await finished(made, done)).toEqual(byKeyOf([...names.slice(1), "d1", "d2"]));
    expect(await made.deadLetters()).toEqual(["a1"]);
  });
});

describe("many keys of which every message fails, among others", () => {
  const KEYS = 80;
  const EACH = 25;
  /** What stands before the dash is the key. */
  const orderBy = ({ fields }: Message<Fields>): string => fields["n"]?.split("-")[0] ?? "";
  const isBad = (message: Message<Fields>): boolean => nameOf(message).startsWith("bad");
  const names = Array.from({ length: EACH }, (_one, at) =>
    Array.from({ length: KEYS }, (_two, key) => [`bad${key}-${at}`, ...(key % 4 === 0 ? [`ok${key}-${at}`] : [])]),
  ).flat(2);
  const good = names.filter((name) => name.startsWith("ok"));

  it.each([
    ["by default", { maxWaitMs: 50 }],
    ["where few may wait", { batchSize: 20, maxDeferred: 50, maxWaitMs: 20, retry: { baseMs: 20, capMs: 100 } }],
  ])("do not stop the others, %s", async (_, options) => {
    const made = group();
    const done: string[] = [];
    const { events } = made.start(
      inTurn(done, (message) => {
        if (!isBad(message)) return false;
        message.retry();
        return true;
      }),
      { orderBy, ...options },
    );
    await made.add(...names);
    const sinceMs = fairNowMs();
    await eventually("the others are done", () => done.length === good.length, { timeoutMs: 60_000 });
    expect(fairNowMs() - sinceMs).toBeLessThan(20_000);
    const keys = new Set(good.map((name) => name.split("-")[0]));
    for (const key of keys)
      expect(done.filter((name) => name.split("-")[0] === key)).toEqual(named(`${key}-`, EACH, 0));
    expect(events.all("outOfOrder")).toEqual([]);
    // What comes later finds them no worse.
    const later = Array.from({ length: 200 }, (_one, at) => `ok${at}-late`);
    await made.add(...later);
    await eventually("later ones are done", () => done.length === good.length + later.length, { timeoutMs: 30_000 });
  });
});
