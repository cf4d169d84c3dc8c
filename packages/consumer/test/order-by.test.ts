/** `orderBy`: messages of one key are done in order, whatever happens to one of them, and other keys go on meanwhile. */
import { ConfigError, PayloadError, UsageError } from "@redis-batch/core";
import { deferred, eventually, runWorker, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import type { Handler } from "../src/index.ts";
import { byKeyOf, finished, inTurn, named, nameOf, ofKey, orderBy, quick } from "./in-order.ts";
import { acknowledge, type Fields, hang, useGroup, valuesOf } from "./liveness/group.ts";
import type { WorkerTask } from "./liveness/group.worker.ts";

const group = useGroup(useServer());

describe("while one of its messages is not done, a key waits and others go on", () => {
  it.each([
    ["is retried soon", 0],
    ["is retried after longer than a lease", 1_500],
  ])("when it %s", async (_, delayMs) => {
    const made = group();
    const done: string[] = [];
    const names = ["a1", "b1", "a2", "c1", "b2", "a3", "c2", "b3", "a4"];
    const { events } = made.start(
      inTurn(done, (message) => {
        if (nameOf(message) !== "a1" || message.deliveries > 2) return false;
        message.retry({ delayMs });
        return true;
      }),
      { ...quick, batchSize: 2 },
    );
    await made.add(...names);
    await eventually("other keys are done", () => ofKey("b", done).length + ofKey("c", done).length === 5);
    const doneMeanwhile = ofKey("a", done);
    expect(await finished(made, done)).toEqual(byKeyOf(names));
    // A delay of longer than a lease is kept in Redis; a short one may be over by now.
    expect([events.all("deferred").length > 0, delayMs > 0 && doneMeanwhile.length > 0]).toEqual([delayMs > 0, false]);
    expect(events.all("outOfOrder")).toEqual([]);
  });

  it("when its handler throws", async () => {
    const made = group();
    const done: string[] = [];
    const names = [...named("a", 12), ...named("b", 6), ...named("a", 3, 13)];
    let left = 3;
    made.start(
      inTurn(done, (message) => {
        if (nameOf(message) === "a3" && left-- > 0) throw new Error("not yet");
      }),
      quick,
    );
    await made.add(...names);
    expect(await finished(made, done)).toEqual(byKeyOf(names));
  });

  it("when its handler hangs", async () => {
    const made = group();
    const done: string[] = [];
    const names = ["a1", "b1", "a2", "b2", "a3", ...named("c", 5)];
    const { events } = made.start(
      inTurn(done, (message) => (nameOf(message) === "a1" && message.deliveries === 1 ? hang() : undefined)),
      { ...quick, batchSize: 1, concurrency: 2, maxHoldMs: 500 },
    );
    await made.add(...names);
    await events.waitFor("heldTooLong");
    await eventually("other keys are done", () => done.length >= 7);
    expect(await finished(made, done)).toEqual(byKeyOf(names));
  });

  it("when every batch fails for a while", async () => {
    const made = group();
    const done: string[] = [];
    const names = Array.from({ length: 8 }, (_, at) => ["a", "b", "c"].map((key) => `${key}${at}`)).flat();
    let isDown = true;
    const { events } = made.start(
      inTurn(done, () => {
        if (isDown) throw new Error("the sink is down");
      }),
      { ...quick, concurrency: 2 },
    );
    await made.add(...names);
    await events.waitFor("backingOff");
    isDown = false;
    expect(await finished(made, done)).toEqual(byKeyOf(names));
  });

  it("until it is a dead letter", async () => {
    const made = group();
    const done: string[] = [];
    const names = [...named("a", 4), ...named("b", 3)];
    made.start(
      inTurn(done, (message) => {
        if (nameOf(message) !== "a1") return false;
        message.deadLetter("no");
        return true;
      }),
      { ...quick, batchSize: 1 },
    );
    await made.add(...names);
    expect(await finished(made, done)).toEqual(byKeyOf(names.slice(1)));
    expect(await made.deadLetters()).toEqual(["a1"]);
  });

  it.each(["XACK", "XDEL"])("until it is gone, by %s", async (command) => {
    const made = group();
    const done: string[] = [];
    const { events } = made.start(
      inTurn(done, (message) => {
        if (nameOf(message) !== "a1") return false;
        message.retry({ delayMs: 60_000 });
        return true;
      }),
      { ...quick, batchSize: 1 },
    );
    const [first = ""] = await made.add("a1", "a2", "b1");
    await events.waitFor("deferred");
    await eventually("the other key is done", () => done.length === 1);
    const where = command === "XACK" ? [made.stream, made.group] : [made.stream];
    await made.server.command(command, ...where, first);
    expect(await finished(made, done)).toEqual(byKeyOf(["b1", "a2"]));
  });
});

describe("handlers at the same time", () => {
  it("never have the same key, and one that is slow keeps no other key waiting", async () => {
    const made = group();
    const done: string[] = [];
    const atWork = new Set<string>();
    let overlaps = 0;
    const slow = deferred<void>();
    const names = Array.from({ length: 30 }, (_, at) =>
      ["a", "a", "b", "c", "d"].map((key, n) => `${key}${at * 5 + n}`),
    ).flat();
    made.start(
      async (batch) => {
        const keys = new Set([...batch].map(orderBy));
        for (const key of keys) overlaps += Number(atWork.has(key));
        for (const key of keys) atWork.add(key);
        if (keys.has("a") && keys.size === 1) await slow.promise;
        await new Promise((resolve) => setImmediate(resolve));
        done.push(...valuesOf(batch));
        for (const key of keys) atWork.delete(key);
        batch.ack();
      },
      { ...quick, batchSize: 1, concurrency: 4, maxDeferred: 1_000 },
    );
    await made.add(...names);
    await eventually("all other keys are done", () => done.length >= 90, { timeoutMs: 15_000 });
    slow.resolve();
    expect(await finished(made, done)).toEqual(byKeyOf(names));
    expect(overlaps).toBe(0);
  });
});

describe("what an earlier consumer left pending", () => {
  it("comes before anything newer of its key, after a restart under the same name", async () => {
    const made = group();
    const done: string[] = [];
    const names = ["a1", "b1", "a2", "a3", "b2", "c1"];
    await made.add(...names.slice(0, 3));
    await made.leaveBehind({ name: "me", count: 3, leaseMs: 500 });
    await made.add(...names.slice(3));
    made.start(inTurn(done), { ...quick, name: "me" });
    expect(await finished(made, done)).toEqual(byKeyOf(names));
  });

  it("comes before anything newer of its key when another one has died, and other keys do not wait", async () => {
    const made = group();
    const done: string[] = [];
    const names = ["a1", "b1", "a2", "b2", "c1", "c2", "a3"];
    await made.add(...names.slice(0, 2));
    await made.leaveBehind({ name: "dead", count: 2, leaseMs: 2_000 });
    await made.add(...names.slice(2));
    const { events } = made.start(inTurn(done), quick);
    await eventually("the key that is free is done", () => ofKey("c", done).length === 2);
    const isKnownDead = events.all("orphansReleased").length > 0;
    expect(isKnownDead ? ["c1", "c2"] : done).toEqual(["c1", "c2"]);
    expect(await finished(made, done)).toEqual(byKeyOf(names));
  });

  it("comes in order when it was closed while messages waited, and the next one has another name", async () => {
    const made = group();
    const done: string[] = [];
    const names = [...named("a", 9), ...named("b", 4)];
    await made.add(...names);
    const first = made.start(
      inTurn(done, (message) => {
        if (nameOf(message) !== "a2") return false;
        message.retry({ delayMs: 2_000 });
        return true;
      }),
      { ...quick, batchSize: 1 },
    );
    await eventually("the other key is done", () => ofKey("b", done).length === 4);
    await first.consumer.close();
    expect(ofKey("a", done)).toEqual(["a1"]);
    made.start(inTurn(done), quick);
    expect(await finished(made, done)).toEqual(byKeyOf(names));
  });
});

describe("what a killed process had", () => {
  it("comes to the next one in order, before anything newer of its key", async () => {
    const made = group();
    const add = (...names: readonly string[]) =>
      Promise.all(names.map((n) => made.server.command("XADD", made.stream, "*", "n", n, "key", n.charAt(0))));
    const options = { ...quick, orderBy: "key" } as const;
    const task: WorkerTask = { url: made.server.url, stream: made.stream, group: made.group, how: "hang", options };
    await using worker = await runWorker(new URL("liveness/group.worker.ts", import.meta.url), {
      args: [JSON.stringify(task)],
    });
    await add("a1", "b1", "a2");
    await worker.waitForLine("offered a1 1");
    worker.kill();
    await worker.exited;
    await add("a3", "b2", "c1");
    const done: string[] = [];
    const { running } = made.start(inTurn(done), options);
    await Promise.race([eventually("all are done", () => done.length === 6, { timeoutMs: 15_000 }), running]);
    expect([ofKey("a", done), ofKey("b", done), ofKey("c", done)]).toEqual([["a1", "a2", "a3"], ["b1", "b2"], ["c1"]]);
  });
});

describe("a group for itself", () => {
  const refusal = async (run: Promise<unknown>): Promise<string> => {
    const error = await run.then(
      () => undefined,
      (failure: unknown) => failure,
    );
    expect(ConfigError.is(error)).toBe(true);
    return String(error);
  };

  it("is refused while another consumer is alive, and given when that one has left", async () => {
    const made = group();
    await made.add("a1");
    const plain = made.start(acknowledge, { ...quick, orderBy: undefined, name: "plain" });
    await plain.events.waitFor("started");
    expect(await refusal(made.start(acknowledge, quick).running)).toMatch(/plain.*orderScope: "consumer"/s);
    expect(plain.consumer.state).toBe("running");
    await plain.consumer.close();
    const alone = made.start(acknowledge, quick);
    await alone.events.waitFor("started");
  });

  it("is closed to others, until its consumer has left", async () => {
    const made = group();
    await made.add("a1");
    const alone = made.start(acknowledge, { ...quick, name: "alone" });
    await alone.events.waitFor("started");
    expect(await refusal(made.start(acknowledge, { ...quick, orderBy: undefined }).running)).toContain('"alone"');
    expect(await refusal(made.start(acknowledge, quick).running)).toContain('"alone"');
    // Who was refused leaves no name behind.
    const info = (await made.server.command("XINFO", "CONSUMERS", made.stream, made.group)) as unknown[][];
    expect(info.map(([, name]) => String(name)).filter((name) => !name.startsWith("rb:"))).toEqual(["alone"]);
    await alone.consumer.close();
    const plain = made.start(acknowledge, { ...quick, orderBy: undefined });
    await plain.events.waitFor("started");
  });

  it("is given after a crash under another name, once the old heartbeat is seen not to change", async () => {
    const made = group();
    await made.add("a1");
    // By its date it is alive for another minute.
    await made.leaveBehind({ name: "crashed", count: 0, leaseMs: 1_500, aheadMs: 60_000 });
    await made.server.command("HSET", made.key("consumers"), "rb:alone", "crashed");
    const { events } = made.start(acknowledge, quick);
    await events.waitFor("started");
    await made.finish(5_000);
    expect(events.all("acknowledged")).toHaveLength(1);
  });

  it("is not needed where order within each consumer is enough", async () => {
    const made = group();
    const done: string[] = [];
    const names = [...named("a", 20), ...named("b", 20)];
    const options = { ...quick, orderScope: "consumer" } as const;
    const two = [made.start(inTurn(done), options), made.start(inTurn(done), options)];
    for (const { events } of two) await events.waitFor("started");
    await made.add(...names);
    await made.finish(10_000);
    expect(done.toSorted()).toEqual(names.toSorted());
  });
});

describe("the key", () => {
  it("is that of the field, and byKey() has the messages of each in order", async () => {
    const made = group();
    const { consumer } = made.consumer({ ...quick, orderBy: "customer" });
    for (const fields of [
      ["n", "1", "customer", "x"],
      ["n", "2"],
      ["n", "3", "customer", ""],
      ["n", "4", "customer", "x"],
    ])
      await made.server.command("XADD", made.stream, "*", ...fields);
    const batch = await consumer.fetch();
    const byKey = [...batch.byKey()].map(([key, messages]) => [key, messages.map(nameOf)]);
    expect(byKey).toEqual([
      ["x", ["1", "4"]],
      [null, ["2"]],
      ["", ["3"]],
    ]);
    batch.ack();
  });

  it("is missing without orderBy, and byKey() says so", async () => {
    const made = group();
    await made.add("a1");
    const { consumer } = made.consumer({ maxWaitMs: 50 });
    const batch = await consumer.fetch();
    expect(() => batch.byKey()).toThrow(UsageError);
    batch.ack();
  });

  it.each([
    ["throws", () => JSON.parse("{") as string],
    ["returns no text", () => 7 as unknown as string],
  ])("goes to the dead letters with its message if the function %s", async (_, fail) => {
    const made = group();
    const done: string[] = [];
    const { events } = made.start(inTurn(done), {
      ...quick,
      orderBy: (message) => (nameOf(message) === "a1" ? fail() : nameOf(message) === "none" ? undefined : "a"),
    });
    await made.add("a1", "a2", "none", "a3");
    await made.finish(10_000);
    expect(done).toEqual(["a2", "none", "a3"]);
    expect(events.all("deadLettered")).toMatchObject([{ why: "undecodable" }]);
  });

  it.each([
    ["when no message has it", "customr", 1],
    ["and never when one has it", "n", 0],
  ])("is reported as missing once, %s", async (_, field, reports) => {
    const made = group();
    const done: string[] = [];
    const names = named("a", 25);
    const { events } = made.start(inTurn(done), { ...quick, orderBy: field });
    await made.add(...names);
    await made.finish(10_000);
    expect(done).toHaveLength(25);
    expect(events.all("keysMissing")).toHaveLength(reports);
  });

  it("is held up by a message that this version cannot read, until that is done", async () => {
    const made = group();
    const done: string[] = [];
    const codec = {
      decode: (fields: readonly Buffer[]) => {
        const name = String(fields[1]);
        if (name.startsWith("a") && name !== "a9") throw new PayloadError("of a later version");
        return { n: name };
      },
    };
    // It has more fields than the step that moves it to the dead letters can take.
    const rest = Array.from({ length: 8_400 }, (_, at) => `f${at}`);
    await made.server.command("XADD", made.stream, "*", "n", "a1", ...rest);
    await made.add("a9", "b1");
    const old = made.start(inTurn(done), { ...quick, codec, name: "old" });
    await old.events.waitFor("deadLetterFailed");
    await eventually("the other key is done", () => done.length > 0);
    await old.consumer.close();
    made.start(inTurn(done), { ...quick, name: "new" });
    await made.finish(15_000);
    expect(done).toEqual(["b1", "a1", "a9"]);
  });

  it("counts no delivery of a message that only waited behind another one", async () => {
    const made = group();
    const names = ["a1", "a2"];
    await made.add(...names);
    // A crash leaves a delivery of each.
    await made.leaveBehind({ name: "crashed", count: 2, leaseMs: 500 });
    const later: Handler<Fields> = (batch) => {
      for (const message of batch) if (nameOf(message) === "a1") message.retry({ delayMs: 3_600_000 });
    };
    const counts = async (): Promise<number> => {
      const reply = (await made.server.command("XPENDING", made.stream, made.group, "-", "+", 9)) as unknown[][];
      return Number(reply[1]?.[3]);
    };
    let before = 0;
    for (let deploy = 1; deploy <= 3; deploy++) {
      const { consumer, events } = made.start(later, { ...quick, name: `v${deploy}` });
      await events.waitFor("claimed", { timeoutMs: 15_000 });
      if (deploy === 1) await events.waitFor("deferred");
      await eventually("it is put away", () => consumer.health().buffered === 0 && consumer.health().inFlight === 0);
      await consumer.close();
      if (deploy === 1) before = await counts();
    }
    expect(await counts()).toBe(before);
  });

  it("is there in an empty batch as well", async () => {
    const made = group();
    const { consumer } = made.consumer({ maxWaitMs: 0, orderBy: "n" });
    expect([...(await consumer.fetch()).byKey()]).toEqual([]);
  });

  it("tells an acknowledgement that comes before that of an earlier message", async () => {
    const made = group();
    const [a1, , , a2] = await made.add("a1", "b1", "b2", "a2");
    const { consumer, events } = made.consumer({ ...quick, batchSize: 4 });
    const batch = await consumer.fetch();
    const [first, second, third, last] = batch.messages;
    third?.ack();
    last?.ack();
    first?.ack();
    second?.ack();
    expect((await batch.settled()).acknowledged).toHaveLength(4);
    expect(events.all("outOfOrder").slice(1)).toMatchObject([{ type: "outOfOrder", id: a2, after: a1 }]);
    expect(events.all("outOfOrder")).toHaveLength(2);
  });
});
