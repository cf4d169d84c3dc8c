import type { Batch, Handler, Message } from "@redis-batch/consumer";
import { jsonCodec } from "@redis-batch/core";
import { describe, expect, expectTypeOf, test, vi } from "vitest";
import { makeBatch, makeMessage, type RecordedBatch, type RecordedMessage, runHandler } from "./index.ts";

interface Order {
  readonly orderId: string;
  readonly cents: number;
}

const order = (orderId: string, cents = 1): Order => ({ orderId, cents });
const codec = jsonCodec<Order>();

/** A user's handler, as it stands in their program. */
const bill: Handler<Order> = async (batch, { signal }) => {
  for (const message of batch) {
    signal.throwIfAborted();
    const { orderId, cents } = message.value;
    if (cents < 0) message.deadLetter(`${orderId}: negative`);
    else if (cents === 0) message.retry({ delayMs: 5_000, reason: "no price yet" });
    else if (cents < 1_000) message.ack();
  }
};

describe("a message that was made", () => {
  test("has the value, the fields of a record, and the details it is given", () => {
    const message = makeMessage({ orderId: "A-17" }, { id: "7-1", deliveries: 3 });
    expectTypeOf(message).toEqualTypeOf<RecordedMessage<{ orderId: string }>>();
    expect(message).toMatchObject({ id: "7-1", deliveries: 3, value: { orderId: "A-17" } });
    expect(message.fields["orderId"]).toBe("A-17");
    expect(message.addedAt).toEqual(new Date(7));
  });

  test("has an id of its own by default, later than the ones before", () => {
    const ids = [makeMessage().id, makeMessage().id, makeMessage().id];
    expect(new Set(ids).size).toBe(3);
    expect(ids).toEqual(ids.toSorted());
    expectTypeOf(makeMessage()).toEqualTypeOf<RecordedMessage>();
    expect({ ...makeMessage().value }).toEqual({});
  });

  test("goes through the codec, where one is given", () => {
    const dated = jsonCodec<{ readonly at: unknown }>();
    const message = makeMessage({ at: new Date(0) }, { codec: dated });
    expect(message.value).toEqual({ at: "1970-01-01T00:00:00.000Z" });
    expect(message.fields["data"]).toBe('{"at":"1970-01-01T00:00:00.000Z"}');
  });

  test("has the fields that are given beside its value", () => {
    const message = makeMessage(order("A-17"), { fields: { traceparent: "00-1" } });
    expect(message.value.orderId).toBe("A-17");
    expect({ ...message.fields }).toEqual({ traceparent: "00-1" });
    expect([...makeMessage([1, 2]).entries()]).toEqual([]);
  });

  test("refuses options that are none, all at once", () => {
    const wrong = { id: "seven", deliveries: 0, delivery: 1 };
    expect(() => makeMessage("value", wrong)).toThrow(
      expect.objectContaining({
        code: "CONFIG",
        problems: [expect.any(String), expect.any(String), expect.any(String)],
      }),
    );
  });

  test("keeps its first outcome, and takes retry back", () => {
    const acked = makeMessage();
    acked.ack();
    acked.retry();
    acked.deadLetter("too late");
    expect(acked.outcome).toEqual({ kind: "acknowledged" });
    const retried = makeMessage();
    retried.retry({ delayMs: 1 });
    expect(retried.outcome).toEqual({ kind: "retried", delayMs: 1, reason: undefined });
    retried.ack();
    expect(retried.outcome).toEqual({ kind: "acknowledged" });
    const bad = makeMessage();
    expect(() => bad.retry({ delayMs: -1 })).toThrow("delayMs must be a number from 0");
    expect(bad.outcome).toEqual({ kind: "none" });
  });

  test("that has lost its lease aborts, and what is said of it comes too late", async () => {
    const message = makeMessage(order("A-17"));
    const batch = makeBatch([message]);
    message.loseLease();
    expect(message.signal.reason).toMatchObject({ code: "LEASE_LOST", entryId: message.id });
    message.ack();
    expect(message.outcome).toEqual({ kind: "none" });
    expect(await batch.settled()).toMatchObject({ tooLate: [message.id], acknowledged: [] });
  });
});

describe("a batch that was made", () => {
  test("writes down what a handler says of each message", async () => {
    const batch = makeBatch([order("a"), order("b", -1), order("c", 0), order("d", 9_999)]);
    expectTypeOf(batch).toEqualTypeOf<RecordedBatch<Order>>();
    expect(await runHandler(bill, batch)).toEqual([
      { kind: "acknowledged" },
      { kind: "deadLettered", reason: "b: negative" },
      { kind: "retried", delayMs: 5_000, reason: "no price yet" },
      { kind: "none" },
    ]);
    const [a, b, c, d] = batch.messages.map(({ id }) => id);
    expect(await batch.settled()).toEqual({
      acknowledged: [a],
      deadLettered: [b],
      retried: [c],
      tooLate: [],
      open: [d],
    });
  });

  test("takes messages and values, whose types it keeps", () => {
    const batch = makeBatch([makeMessage(order("a"), { deliveries: 4 }), order("b")]);
    expectTypeOf(batch).toEqualTypeOf<RecordedBatch<Order>>();
    expect(batch.messages.map(({ deliveries }) => deliveries)).toEqual([4, 1]);
    expect(Array.from(batch, ({ value }) => value.orderId)).toEqual(["a", "b"]);
    expectTypeOf(makeBatch([order("a")], { codec })).toEqualTypeOf<RecordedBatch<Order>>();
    expectTypeOf(batch).toExtend<Batch<Order>>();
    expectTypeOf(batch.messages[0]).toExtend<Message<Order> | undefined>();
  });

  test("has the messages of each key in order, where they have keys", () => {
    const [a, b, c] = [
      makeMessage(order("a"), { key: "x" }),
      makeMessage(order("b")),
      makeMessage(order("c"), { key: "x" }),
    ];
    expect([...makeBatch([a, b, c]).byKey()]).toEqual([
      ["x", [a, c]],
      [null, [b]],
    ]);
    expect(() => makeBatch([order("a")]).byKey()).toThrow(expect.objectContaining({ code: "USAGE" }));
    expect(() => makeMessage(order("a"), { key: 7 as never })).toThrow(expect.objectContaining({ code: "CONFIG" }));
  });

  test("has the stream and the keys that a consumer would give it", async () => {
    const byOrder = { stream: "payments", orderBy: "orderId" } as const;
    const batch = makeBatch(
      [order("a"), makeMessage(order("b"), { stream: "payments", key: "mine" }), order("a")],
      byOrder,
    );
    expect(batch.stream).toBe("payments");
    expect(batch.messages.map(({ stream, key }) => [stream, key])).toEqual([
      ["payments", "a"],
      ["payments", "mine"],
      ["payments", "a"],
    ]);
    expect([...batch.byKey()].map(([key, messages]) => [key, messages.length])).toEqual([
      ["a", 2],
      ["mine", 1],
    ]);
    // A function has the value, which a codec may have changed.
    const coded = makeBatch([order("a", 7), order("b", 8)], {
      codec,
      orderBy: ({ value }) => (value.cents === 7 ? null : String(value.cents)),
    });
    expectTypeOf(coded).toEqualTypeOf<RecordedBatch<Order>>();
    expect([...coded.byKey().keys()]).toEqual([null, "8"]);
    // As with a consumer, a batch without a key has no order, and one of a consumer without orderBy no keys.
    expect([...makeBatch([{}], { orderBy: "orderId" }).byKey().keys()]).toEqual([null]);
    expect(makeBatch([]).stream).toBeNull();
    expect(makeBatch([], { stream: "payments" }).stream).toBe("payments");
  });

  test("refuses keys and streams that no consumer would give it", () => {
    const config = expect.objectContaining({ code: "CONFIG" }) as Error;
    const payload = expect.objectContaining({ code: "PAYLOAD" }) as Error;
    expect(() => makeBatch([makeMessage({}, { stream: "a" }), makeMessage({}, { stream: "b" })])).toThrow(config);
    expect(() => makeBatch([makeMessage({}, { stream: "a" })], { stream: "b" })).toThrow(config);
    expect(() => makeBatch([order("a")], { orderBy: "" })).toThrow(config);
    expect(() => makeBatch([order("a")], { orderBy: 7 as never })).toThrow(config);
    expect(() => makeBatch([order("a")], { orderBy: () => 7 as never })).toThrow(payload);
    const broken = (): never => {
      throw new Error("no key");
    };
    expect(() => makeBatch([order("a")], { orderBy: broken })).toThrow("no key");
  });

  test("carries out what the handler returns", async () => {
    const named: Handler<Order> = (batch) => {
      const [first, second] = batch.messages;
      if (first === undefined || second === undefined) return {};
      return { ack: "rest", retry: [{ message: first, delayMs: 10 }], deadLetter: [{ message: second, reason: "no" }] };
    };
    expect(await runHandler(named, makeBatch([order("a"), order("b"), order("c")]))).toEqual([
      { kind: "retried", delayMs: 10, reason: undefined },
      { kind: "deadLettered", reason: "no" },
      { kind: "acknowledged" },
    ]);
  });

  test("takes the messages of another copy of this package as messages", async () => {
    vi.resetModules();
    const another = await import("./index.ts");
    expect(another.makeMessage).not.toBe(makeMessage);
    const message = another.makeMessage(order("a"));
    const batch = makeBatch([message]);
    expect(batch.messages[0]).toBe(message);
    expect(await runHandler(bill, batch)).toEqual([{ kind: "acknowledged" }]);
    expect(message.outcome).toEqual({ kind: "acknowledged" });
  });

  test("refuses what is no list, instead of a test with no messages", () => {
    for (const items of [{ orderId: "a" }, 5, null]) {
      expect(() => makeBatch(items as never)).toThrow(expect.objectContaining({ code: "USAGE" }));
    }
    expect(() => makeBatch([order("a")], { codec: {} as never })).toThrow(expect.objectContaining({ code: "CONFIG" }));
    expect(() => makeBatch([order("a")], { codecs: codec } as never)).toThrow(
      expect.objectContaining({ code: "CONFIG" }),
    );
  });

  test("works with a handler that is written at the call, and one for text fields", async () => {
    const upper: string[] = [];
    await runHandler(
      (batch) => {
        for (const { value } of batch) upper.push(value.toUpperCase());
        return { ack: "rest" };
      },
      makeBatch(["a", "b"]),
    );
    expect(upper).toEqual(["A", "B"]);
    const fields: Handler = (batch) => {
      for (const { value } of batch) upper.push(value["orderId"] ?? "?");
      batch.ack();
    };
    expect(await runHandler(fields, makeBatch([{ orderId: "A-17" }]))).toEqual([{ kind: "acknowledged" }]);
    expect(upper.at(-1)).toBe("A-17");
  });

  test("keeps what was said before the handler threw", async () => {
    const batch = makeBatch([order("a"), order("b")]);
    const failing: Handler<Order> = ({ messages }) => {
      messages[0]?.ack();
      throw new Error("the sink is down");
    };
    await expect(runHandler(failing, batch)).rejects.toThrow("the sink is down");
    expect(batch.outcomes).toEqual([{ kind: "acknowledged" }, { kind: "none" }]);
  });

  test("fails with a wrong outcome as the consumer does", async () => {
    const rows = () => [1, 2, 3] as never;
    await expect(runHandler(rows, makeBatch([1]))).rejects.toMatchObject({ code: "USAGE" });
  });

  test("aborts the handler's signal and the messages', as a consumer that stops", async () => {
    const batch = makeBatch([order("a"), order("b")]);
    batch.abort();
    await expect(runHandler(bill, batch)).rejects.toMatchObject({ code: "USAGE" });
    expect(batch.messages.map(({ signal }) => signal.reason as unknown)).toEqual([
      batch.signal.reason,
      batch.signal.reason,
    ]);
  });
});
