/** What an instrumentation is told, what it cannot break, and how the context of a trace travels. */
import { eventually, useServer } from "@redis-batch/test-support";
import { afterEach, expect, test, vi } from "vitest";
import {
  type AddTrace,
  type BatchStart,
  type BatchTrace,
  ConfigError,
  type ConsumerInstrumentation,
  Producer,
  type ProducerInstrumentation,
  type TraceContext,
} from "../src/index.ts";
import { useBench } from "./harness.ts";

const bench = useBench(useServer());
afterEach(() => void vi.restoreAllMocks());

const context: TraceContext = {
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "vendor=1",
};
const carrying = (carried: TraceContext | undefined): ProducerInstrumentation => ({
  add: () => ({ context: carried, added: () => {}, failed: () => {} }),
});
const boom = (): never => {
  throw new Error("broken exporter");
};

/** Writes down what it is told. */
class Diary implements ConsumerInstrumentation {
  readonly lines: string[] = [];
  readonly starts: BatchStart[] = [];

  batch(batch: { readonly id: string; readonly size: number }, start: BatchStart): BatchTrace {
    const say = (what: string): void => void this.lines.push(what);
    this.starts.push(start);
    say(`batch of ${batch.size}`);
    return {
      run(handler) {
        say("run");
        handler();
        say("returned");
      },
      failed: (error) => say(`failed: ${(error as Error).message}`),
      ended: () => say("ended"),
    };
  }
}

async function add(stream: string, redis: object, instrumentation: ProducerInstrumentation): Promise<string> {
  const producer = new Producer({ redis, stream, instrumentation });
  const id = await producer.add({ n: "1", traceparent: "mine" }, { key: "k" });
  await producer.close();
  return id;
}

test("the entry carries the context, and no consumer sees it among the fields, instrumented or not", async () => {
  const { server, stream, consumer: create } = bench();
  const id = await add(stream, server.options, carrying(context));
  const own = ["n", "1", "traceparent", "mine", "key", "k"];
  const carried = ["rb:tracestate", "vendor=1", "rb:traceparent", context.traceparent];
  expect(await server.command("XRANGE", stream, id, id)).toEqual([[id, [...own, ...carried]]]);

  const codec = { decode: (fields: readonly Buffer[]) => fields.map(String) };
  const [message] = await create({ codec }).consumer.fetch();
  expect(message?.value).toEqual(own);
  expect({ ...message?.fields }).toEqual({ n: "1", traceparent: "mine", key: "k" });
  expect([...(message?.entries() ?? [])].map(String)).toEqual(["n,1", "traceparent,mine", "key,k"]);
  expect(message?.traceContext).toEqual(context);
});

test.each([
  ["none", undefined],
  ["one that is not well-formed", { traceparent: "00-nothing", tracestate: undefined }],
])("with %s nothing is written", async (_what, carried) => {
  const { server, stream, consumer: create } = bench();
  const id = await add(stream, server.options, carrying(carried));
  const entry = ["n", "1", "traceparent", "mine", "key", "k"];
  expect(await server.command("XRANGE", stream, id, id)).toEqual([[id, entry]]);
  const [message] = await create().consumer.fetch();
  expect(message?.traceContext).toBeUndefined();
});

test("a producer says how each add ended", async () => {
  const { server, stream } = bench();
  const ends: unknown[] = [];
  const trace: AddTrace = {
    context: undefined,
    added: (id, isDuplicate) => ends.push([id, isDuplicate]),
    failed: (error) => ends.push(error),
  };
  const producer = new Producer({ redis: server.options, stream, instrumentation: { add: () => trace } });
  const id = await producer.add({ n: 1 }, { idempotencyKey: "a" });
  await producer.add({ n: 1 }, { idempotencyKey: "a" });
  await server.command("DEL", stream);
  await server.command("SET", stream, "no stream");
  const refusal: unknown = await producer.add({ n: 2 }).catch((error: unknown) => error);
  await producer.close();
  expect(ends).toEqual([[id, false], [id, true], refusal]);
});

test("a batch is told from its beginning to its end, and its id is in the events", async () => {
  const { add: addPlain, consumer: create, group, pending } = bench();
  await addPlain(1, 2);
  const diary = new Diary();
  const { consumer, events } = create({ instrumentation: diary, batchSize: 2, retry: { baseMs: 1, capMs: 1 } });
  const ids: string[] = [];
  void consumer.run((batch) => {
    ids.push(batch.id);
    if (ids.length === 1) throw new Error("no disk");
    batch.ack();
  });
  await events.waitFor("acknowledged");
  await eventually("both are done", async () => (await pending()).length === 0);
  await consumer.close();
  expect(diary.lines.slice(0, 5)).toEqual(["batch of 2", "run", "returned", "failed: no disk", "ended"]);
  expect(diary.lines.slice(-3)).toEqual(["run", "returned", "ended"]);
  expect(diary.starts[0]).toMatchObject({ group, consumer: consumer.name });
  expect(diary.starts[0]?.waitedMs).toBeGreaterThanOrEqual(0);
  expect(new Set(ids).size).toBe(ids.length);
  expect(events.all("batch").map(({ batchId }) => batchId)).toEqual(ids);
  expect(events.all("batchEnded").map(({ batchId }) => batchId)).toEqual(ids);
  expect(events.all("handlerFailed").map(({ batchId }) => batchId)).toEqual(ids.slice(0, 1));
});

test("of fetch() as well; an empty batch is not followed", async () => {
  const { add: addPlain, consumer: create } = bench();
  const diary = new Diary();
  const { consumer } = create({ instrumentation: diary, maxWaitMs: 0 });
  expect((await consumer.fetch()).size).toBe(0);
  await addPlain(1);
  await eventually("it has the message", async () => (await consumer.fetch()).size === 1);
  await consumer.close();
  expect(diary.lines).toEqual(["batch of 1", "ended"]);
});

const trace = { run: (handler: () => void) => handler(), failed: () => {}, ended: () => {} };
test.each<[string, () => BatchTrace | undefined]>([
  ["throws", boom],
  ["does not follow", () => undefined],
  ["throws at each call", () => ({ run: boom, failed: boom, ended: boom })],
  ["calls no handler", () => ({ ...trace, run: () => {} })],
  [
    "calls the handler twice, and throws",
    () => ({
      ...trace,
      run: (handler) => {
        handler();
        handler();
        boom();
      },
    }),
  ],
])("one that %s changes nothing: the handler is called once, and its error is its own", async (_what, begin) => {
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const { add: addPlain, consumer: create, pending } = bench();
  await addPlain(1);
  const { consumer, events } = create({ instrumentation: { batch: begin }, retry: { baseMs: 1, capMs: 1 } });
  let calls = 0;
  void consumer.run((batch) => {
    if (++calls === 1) throw new Error("no disk");
    batch.ack();
  });
  await events.waitFor("acknowledged");
  expect(events.all("handlerFailed").map(({ error }) => (error as Error).message)).toEqual(["no disk"]);
  expect(calls).toBe(events.all("batch").length);
  expect(await pending()).toEqual([]);
  for (const [text] of warn.mock.calls) expect(String(text)).toContain("broken exporter");
});

test("a producer's that throws changes nothing", async () => {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const { server, stream, consumer: create } = bench();
  await add(stream, server.options, { add: boom });
  await add(stream, server.options, { add: () => ({ context: undefined, added: boom, failed: boom }) });
  await add(stream, server.options, {
    add: () => ({
      get context(): undefined {
        return boom();
      },
      ...{ added: boom, failed: boom },
    }),
  });
  expect((await create().consumer.fetch()).size).toBe(3);
});

test("what is none is refused", () => {
  const { consumer: create, stream } = bench();
  expect(() => create({ instrumentation: {} as never })).toThrow(ConfigError);
  expect(() => create({ instrumentation: {} as never })).toThrow("instrumentation must have a method batch()");
  expect(() => new Producer({ redis: {}, stream, instrumentation: "otel" as never })).toThrow(
    "instrumentation must have a method add()",
  );
});
