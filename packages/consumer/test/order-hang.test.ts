/** A handler that hangs on a full batch of keys, or is slow with one of them, must not keep the messages of other keys waiting. */
import { eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { Redis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import type { Message } from "../src/index.ts";
import { type Fields, hang, useGroup } from "./liveness/group.ts";

const servers = useServer();
const group = useGroup(servers);

const MAX_HOLD_MS = 5_000;

/** A system that takes that long to answer: a server with nothing to take from a list. */
function slowSink() {
  const redis = new Redis(servers.server.options);
  onTestFinished(() => redis.disconnect());
  return { workFor: (ms: number) => redis.blpop(uniqueName("nothing"), ms / 1_000) };
}

it.each([1, 100])(
  "other keys go on while a handler hangs, %i times as many messages of its keys as a batch before them",
  async (times) => {
    const made = group();
    const keys = ["a", "b", "c", "d", "e"];
    const first = keys.map((key) => `${key}0`);
    const behind = Array.from({ length: times }, (_, at) => keys.map((key) => `${key}${at + 1}`)).flat();
    const others = Array.from({ length: 40 }, (_, at) => `${String.fromCharCode(102 + (at % 20))}${at}`);
    const done = new Set<string>();
    const { events } = made.start(
      async (batch) => {
        if (batch.messages.some(({ fields, deliveries }) => fields["n"] === "a0" && deliveries === 1)) await hang();
        for (const message of batch) {
          done.add(message.fields["n"] ?? "");
          message.ack();
        }
      },
      {
        ...{
          orderBy: ({ fields }: Message<Fields>) => fields["n"]?.[0] ?? "",
          batchSize: 5,
          maxWaitMs: 20,
          concurrency: 3,
        },
        ...{ leaseMs: 1_000, blockMs: 100, maxHoldMs: MAX_HOLD_MS },
      },
    );
    await made.add(...first);
    await eventually("the handler hangs", () => made.offers.length === 5);
    await made.add(...behind, ...others);
    await eventually("the other keys are done", () => others.every((name) => done.has(name)), {
      timeoutMs: 2 * MAX_HOLD_MS,
    });
    expect(events.all("heldTooLong")).toEqual([]);
    await eventually("in the end those behind it are done, too", () => behind.every((name) => done.has(name)), {
      timeoutMs: 4 * MAX_HOLD_MS,
    });
  },
);

it.each([150, 400, 900])(
  "other keys go on while one with a thousand messages takes %i ms for each batch",
  async (slowMs) => {
    const made = group();
    const sink = slowSink();
    let slow = 0;
    const done = new Set<string>();
    const others = Array.from({ length: 30 }, (_, at) => `${String.fromCharCode(102 + (at % 20))}${at}`);
    await made.add(...Array.from({ length: 1_000 }, (_, at) => `a${at}`), ...others);
    made.start(
      async (batch) => {
        if (batch.messages.some(({ fields }) => fields["n"]?.startsWith("a"))) await sink.workFor(slowMs);
        for (const message of batch) {
          const name = message.fields["n"] ?? "";
          if (name.startsWith("a")) slow++;
          else done.add(name);
          message.ack();
        }
      },
      {
        orderBy: ({ fields }: Message<Fields>) => fields["n"]?.[0] ?? "",
        ...{ batchSize: 20, maxWaitMs: 20, concurrency: 3, leaseMs: 5_000, blockMs: 100 },
      },
    );
    await eventually("the other keys are done", () => done.size === others.length, { timeoutMs: 20_000 });
    expect(slow, "messages of the slow key that had to be done first").toBeLessThan(200);
    const late = "f9999";
    await made.add(late);
    const before = slow;
    await eventually("so is one that comes later", () => done.has(late), { timeoutMs: 20_000 });
    expect(slow - before).toBeLessThan(100);
  },
);
