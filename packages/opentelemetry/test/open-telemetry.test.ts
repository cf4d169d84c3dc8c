/** Spans and metrics as a collector gets them: the real SDK, OTLP over HTTP, a real server. */
import { context, metrics, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import {
  AlwaysOffSampler,
  ParentBasedSampler,
  SimpleSpanProcessor,
  TracerProvider,
  type TracerProviderOptions,
} from "@opentelemetry/sdk-trace";
import { Consumer, type ConsumerOptions, DeadLetters, Producer } from "@redis-batch/consumer";
import { eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { contextOfBatch, contextOfMessage, type OpenTelemetryOptions, openTelemetry } from "../src/index.ts";
import { OtlpReceiver } from "./otlp-receiver.ts";

const redis = useServer();
const closing: (() => Promise<unknown>)[] = [];
let receiver: OtlpReceiver;
let stream: string;
let tracerProvider: TracerProvider;
let meterProvider: MeterProvider;

beforeAll(async () => {
  receiver = await OtlpReceiver.start();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
afterAll(async () => {
  context.disable();
  await receiver[Symbol.asyncDispose]();
});
beforeEach(() => {
  receiver.spans.length = 0;
  stream = uniqueName("orders");
  tracerProvider = createTracerProvider();
  const exporter = new OTLPMetricExporter({ url: `${receiver.url}/v1/metrics` });
  meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await tracerProvider.shutdown();
  await meterProvider.shutdown();
});

function createTracerProvider(options: TracerProviderOptions = {}): TracerProvider {
  const exporter = new OTLPTraceExporter({ url: `${receiver.url}/v1/traces` });
  return new TracerProvider({ ...options, spanProcessors: [new SimpleSpanProcessor({ exporter })] });
}

const instrument = (options: OpenTelemetryOptions = {}) => openTelemetry({ tracerProvider, meterProvider, ...options });

function produce(options: OpenTelemetryOptions = {}): Producer {
  const producer = new Producer({ redis: redis.server.options, stream, instrumentation: instrument(options) });
  closing.push(() => producer.close());
  return producer;
}

function consume(options: Partial<ConsumerOptions> = {}, traced: OpenTelemetryOptions = {}): Consumer {
  const consumer = new Consumer({
    ...{ redis: redis.server.options, stream, group: "billing", maxWaitMs: 50, retry: { baseMs: 1, capMs: 1 } },
    ...{ instrumentation: instrument(traced), drainMs: 1_000, observer: () => {}, ...options },
  });
  closing.push(() => consumer.close());
  return consumer;
}

/** A span of the application. */
const inSpan = <Result>(name: string, action: () => Promise<Result>): Promise<Result> =>
  tracerProvider.getTracer("app").startActiveSpan(name, async (span) => {
    try {
      return await action();
    } finally {
      span.end();
    }
  });

const entryOf = async (id: string): Promise<string[]> =>
  ((await redis.server.command("XRANGE", stream, id, id)) as [string, string[]][])[0]?.[1] ?? [];
const spanOf = ({ traceId, spanId }: { readonly traceId: string; readonly spanId: string }): string =>
  `${traceId}/${spanId}`;

test("one message is one trace, from the caller of add to the database", async () => {
  const id = await inSpan("checkout", () => produce().add({ order: "A-17" }));
  const consumer = consume();
  void consumer.run(async (batch) => {
    await inSpan("INSERT orders", async () => {});
    batch.ack();
  });
  const [checkout] = await receiver.named("checkout");
  const [add] = await receiver.named(`add ${stream}`);
  const [settle] = await receiver.named(`settle ${stream}`);
  const [receive] = await receiver.named(`receive ${stream}`);
  const [process] = await receiver.named(`process ${stream}`);
  const [insert] = await receiver.named("INSERT orders");
  const chain = [checkout, add, receive, process, insert];
  for (const [index, span] of chain.entries()) {
    expect(span?.traceId).toBe(checkout?.traceId);
    expect(span?.parentSpanId).toBe(chain[index - 1]?.spanId);
  }
  expect(settle?.parentSpanId).toBe(process?.spanId);
  expect([add, receive, process, settle].map((span) => span?.kind)).toEqual([
    "producer",
    "client",
    "consumer",
    "client",
  ]);

  const common = { "messaging.system.name": "redis", "messaging.destination.name": stream };
  expect(add?.attributes).toEqual({
    ...common,
    ...{ "messaging.operation.name": "add", "messaging.operation.type": "send", "messaging.message.id": id },
    "messaging.message.envelope.size": 9,
  });
  const ofBatch = {
    ...{ ...common, "messaging.consumer.group.name": "billing", "messaging.client.id": consumer.name },
    ...{
      "messaging.batch.message_count": 1,
      "redis_batch.batch.id": process?.attributes["redis_batch.batch.id"] ?? "",
    },
  };
  const named = (name: string) => ({ "messaging.operation.name": name, "messaging.operation.type": name });
  expect(process?.attributes["redis_batch.batch.id"]).toMatch(/^[0-9a-f]{12}-\d+$/);
  expect(receive?.attributes).toEqual({ ...ofBatch, ...named("receive") });
  expect(process?.attributes).toEqual({ ...ofBatch, ...named("process"), "redis_batch.batch.redelivered_count": 0 });
  expect(settle?.attributes).toEqual({ ...ofBatch, ...named("settle"), "redis_batch.settled.acknowledged": 1 });
  const link = { ...{ traceId: add?.traceId, spanId: add?.spanId } };
  const attributes = { "messaging.message.id": id, "redis_batch.message.delivery_count": 1 };
  for (const span of [receive, process]) expect(span?.links).toMatchObject([{ ...link, attributes }]);
  for (const span of chain) expect(span?.error).toBeUndefined();
});

test("a batch of several traces is a trace of its own, with a link to each of its messages", async () => {
  const producer = produce();
  await producer.addMany([{ n: 1 }, { n: 2 }, { n: 3 }]);
  await redis.server.command("XADD", stream, "*", "n", "4");
  void consume({ batchSize: 4 }).run((batch) => batch.ack());
  const adds = await receiver.named(`add ${stream}`, 3);
  const [process] = await receiver.named(`process ${stream}`);
  const [receive] = await receiver.named(`receive ${stream}`);
  expect(adds.map(({ traceId }) => traceId)).not.toContain(process?.traceId);
  expect(receive?.parentSpanId).toBeUndefined();
  expect(process?.traceId).toBe(receive?.traceId);
  expect(process?.links.map(spanOf).toSorted()).toEqual(adds.map(spanOf).toSorted());
  expect(process?.attributes).toMatchObject({ "messaging.batch.message_count": 4 });
});

test("joinTrace: false keeps them apart, and maxLinks bounds the links", async () => {
  const producer = produce();
  await inSpan("checkout", () => producer.addMany([{ n: 1 }, { n: 2 }, { n: 3 }]));
  void consume({ batchSize: 3 }, { joinTrace: false, maxLinks: 2 }).run((batch) => batch.ack());
  const [checkout] = await receiver.named("checkout");
  const [process] = await receiver.named(`process ${stream}`);
  expect(process?.traceId).not.toBe(checkout?.traceId);
  expect(process?.links).toHaveLength(2);
});

test("the trace stays with a message through retry, dead letter, redrive, and a redrive as a new entry", async () => {
  const [id, traceparent] = await inSpan("checkout", async () => {
    const added = await produce().add({ order: "A-17" });
    return [added, (await entryOf(added)).at(-1)] as const;
  });
  const [checkout] = await receiver.named("checkout");
  let deaths = 0;
  let calls = 0;
  void consume().run((batch) => {
    calls++;
    if (calls === 1) throw new Error("no disk");
    if (deaths < 2) for (const message of batch) message.deadLetter("bad");
    else batch.ack();
  });
  const letters = new DeadLetters({ redis: redis.server.options, stream, group: "billing" });
  closing.push(() => letters.close());
  const redriven = async () => {
    const [letter] = await eventually("it is a dead letter", async () => {
      const { letters: some } = await letters.list();
      return some.length > 0 && some;
    });
    expect(letter?.traceContext?.traceparent).toBe(traceparent);
    expect({ ...letter?.fields }).toEqual({ order: "A-17" });
    deaths++;
    if (deaths === 2) await redis.server.command("XDEL", stream, letter?.entryId ?? "");
    return letters.redrive({ ids: [letter?.id ?? ""], ifTrimmed: "add" });
  };
  expect(await redriven()).toMatchObject({ redriven: 1 });
  expect(await redriven()).toMatchObject({ added: 1 });

  const processes = await receiver.named(`process ${stream}`, 4);
  for (const { traceId } of processes) expect(traceId).toBe(checkout?.traceId);
  const counts = processes.map(({ links }) => links[0]?.attributes["redis_batch.message.delivery_count"]);
  expect(counts).toEqual([1, 2, 1, 1]);
  expect(processes.map(({ error }) => error)).toEqual(["no disk", undefined, undefined, undefined]);
  expect(processes[0]).toMatchObject({ attributes: { "error.type": "Error" }, events: ["exception"] });
  const ends = (await receiver.named(`settle ${stream}`, 4)).map(({ attributes }) =>
    Object.keys(attributes).find((name) => name.startsWith("redis_batch.settled.")),
  );
  expect(ends).toEqual(
    ["retried", "dead_lettered", "dead_lettered", "acknowledged"].map((end) => `redis_batch.settled.${end}`),
  );
  expect(processes[3]?.links[0]?.attributes["messaging.message.id"]).not.toBe(id);
});

test("of for await and fetch() the code is below the batch where it says so, and an own span of fetch() is its parent", async () => {
  await produce().addMany([{ n: 1 }, { n: 2 }]);
  const consumer = consume({ batchSize: 1 });
  for await (const batch of consumer) {
    await context.with(contextOfBatch(batch), () => inSpan("INSERT one", async () => batch.ack()));
    break;
  }
  const [message] = await inSpan("poll", async () => {
    const batch = await consumer.fetch();
    await inSpan("between", async () => batch.ack());
    return batch;
  });
  if (message === undefined) throw new Error("expected a message");
  await context.with(contextOfMessage(message), () => inSpan("charge", async () => {}));
  await consumer.close();
  const adds = await receiver.named(`add ${stream}`, 2);
  const [first, second] = await receiver.named(`process ${stream}`, 2);
  expect((await receiver.named("INSERT one"))[0]?.parentSpanId).toBe(first?.spanId);
  const [poll] = await receiver.named("poll");
  expect((await receiver.named("between"))[0]?.parentSpanId).toBe(poll?.spanId);
  expect(second?.traceId).toBe(poll?.traceId);
  const [charge] = await receiver.named("charge");
  expect(adds.map(({ spanId }) => spanId)).toContain(charge?.parentSpanId);
});

test("an add that fails is a span that says so, and a duplicate is one", async () => {
  const producer = produce();
  await producer.add({ n: 1 }, { idempotencyKey: "once" });
  await producer.add({ n: 1 }, { idempotencyKey: "once" });
  await redis.server.command("DEL", stream);
  await redis.server.command("SET", stream, "no stream");
  await expect(producer.add({ n: 2 })).rejects.toMatchObject({ code: "WRONG_TYPE" });
  await redis.server.command("DEL", stream);
  const [, duplicate, failed] = await receiver.named(`add ${stream}`, 3);
  expect(duplicate?.attributes).toMatchObject({ "redis_batch.message.duplicate": true });
  expect(failed?.attributes).toMatchObject({ "error.type": "WRONG_TYPE" });
  expect(failed?.error).toMatch(/stream/);
});

test("an outcome that comes too late is an error of the settle span", async () => {
  await produce().add({ n: 1 });
  void consume({ maxHoldMs: 1_000, leaseMs: 1_000 }).run(async (batch, { signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    batch.ack();
  });
  const [settle] = await receiver.named(`settle ${stream}`);
  const [process] = await receiver.named(`process ${stream}`);
  expect(settle?.attributes).toMatchObject({ "redis_batch.settled.too_late": 1, "error.type": "too_late" });
  expect(process?.error).toBeDefined();
});

describe("contexts of others", () => {
  const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  test("a field traceparent of a foreign producer is a field like any other, unless contextOf reads it", async () => {
    await redis.server.command("XADD", stream, "*", "traceparent", parent, "tracestate", "vendor=1");
    const seen: unknown[] = [];
    const handler = (batch: Iterable<{ readonly fields: object }> & { ack(): void }): void => {
      for (const { fields } of batch) seen.push({ ...fields });
      batch.ack();
    };
    void consume({ group: "plain" }).run(handler);
    const [plain] = await receiver.named(`process ${stream}`);
    expect(plain?.links).toEqual([]);
    receiver.spans.length = 0;

    const contextOf: OpenTelemetryOptions["contextOf"] = ({ fields: { traceparent = "", tracestate } }) => ({
      traceparent,
      tracestate,
    });
    void consume({ group: "reading" }, { contextOf }).run(handler);
    const [process] = await receiver.named(`process ${stream}`);
    expect(process).toMatchObject({ traceId: parent.slice(3, 35), traceState: "vendor=1" });
    expect(seen).toEqual(Array.from({ length: 2 }, () => ({ traceparent: parent, tracestate: "vendor=1" })));
  });

  test("one that is hostile, or a contextOf that throws, is no context, and the message is worked on", async () => {
    for (const bad of ["", "x".repeat(100_000), parent.toUpperCase(), `${parent}-${"a".repeat(1_000)}`]) {
      await redis.server.command("XADD", stream, "*", "n", "1", "rb:traceparent", bad);
    }
    await redis.server.command("XADD", stream, "*", "n", "1", "rb:tracestate", "=,=;\u0000", "rb:traceparent", parent);
    const seen: object[] = [];
    const contextOf = (): never => {
      throw new Error("broken");
    };
    void consume({ batchSize: 5 }, { contextOf }).run((batch) => {
      for (const { fields } of batch) seen.push({ ...fields });
      batch.ack();
    });
    const [settle] = await receiver.named(`settle ${stream}`);
    expect(settle?.attributes).toMatchObject({ "redis_batch.settled.acknowledged": 5 });
    expect(seen).toEqual(Array.from({ length: 5 }, () => ({ n: "1" })));
    const [process] = await receiver.named(`process ${stream}`);
    expect(process?.links).toMatchObject([{ traceId: parent.slice(3, 35), spanId: parent.slice(36, 52) }]);
  });
});

test("what is not sampled is not exported, by the consumer either", async () => {
  const sampler = new ParentBasedSampler({ root: new AlwaysOffSampler() });
  const off = createTracerProvider({ sampler });
  closing.push(() => off.shutdown());
  const id = await produce({ tracerProvider: off }).add({ n: 1 });
  expect((await entryOf(id)).at(-1)).toMatch(/-00$/);
  const on = createTracerProvider({ sampler: new ParentBasedSampler({ root: sampler }) });
  closing.push(() => on.shutdown());
  const consumer = consume({}, { tracerProvider: on });
  const batch = await consumer.fetch();
  batch.ack();
  await consumer.close();
  await on.forceFlush();
  expect(batch.size).toBe(1);
  expect(receiver.spans).toEqual([]);
});

test("without an SDK nothing is written; one that is registered later is used", async () => {
  const global = { tracerProvider: undefined, meterProvider: undefined };
  const producer = produce(global);
  const before = await producer.add({ n: 1 });
  expect(await entryOf(before)).toEqual(["n", "1"]);
  expect(produce({ carryContext: false })).toBeDefined();
  trace.setGlobalTracerProvider(tracerProvider);
  metrics.setGlobalMeterProvider(meterProvider);
  try {
    const after = await producer.add({ n: 2 });
    expect((await entryOf(after)).slice(0, -1)).toEqual(["n", "2", "rb:traceparent"]);
    expect(await receiver.named(`add ${stream}`)).toHaveLength(1);
    await meterProvider.forceFlush();
    expect(receiver.points.map(({ metric }) => metric)).toContain("messaging.client.sent.messages");
  } finally {
    trace.disable();
    metrics.disable();
    propagation.disable();
  }
});

describe("baggage", () => {
  const bag = (entries: Readonly<Record<string, string>>) =>
    propagation.createBaggage(Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, { value }])));
  const addWith = (entries: Readonly<Record<string, string>>, options: OpenTelemetryOptions): Promise<string> =>
    context.with(propagation.setBaggage(context.active(), bag(entries)), () => produce(options).add({ n: 1 }));
  const activeBaggage = (): Record<string, string> =>
    Object.fromEntries(
      propagation
        .getActiveBaggage()
        ?.getAllEntries()
        .map(([name, { value }]) => [name, value]) ?? [],
    );

  test("travels on request, and with the message through retry, dead letter and redrive, outside of its fields", async () => {
    const options = { carryBaggage: ["tenant"] };
    const id = await addWith({ tenant: "a b/ü,=", secret: "x" }, options);
    expect((await entryOf(id)).slice(2, 4)).toEqual(["rb:baggage", "tenant=a%20b%2F%C3%BC%2C%3D"]);
    const seen: object[] = [];
    void consume({}, options).run((batch) => {
      seen.push({ ...activeBaggage(), ...batch.messages[0]?.fields, deliveries: batch.messages[0]?.deliveries });
      if (seen.length === 1) throw new Error("no disk");
      if (seen.length === 2) for (const message of batch) message.deadLetter("bad");
      else batch.ack();
    });
    const letters = new DeadLetters({ redis: redis.server.options, stream, group: "billing" });
    closing.push(() => letters.close());
    const letter = await eventually("it is a dead letter", async () => (await letters.list()).letters[0] ?? false);
    expect({ ...letter.fields }).toEqual({ n: "1" });
    expect(letter.traceContext?.baggage).toBe("tenant=a%20b%2F%C3%BC%2C%3D");
    await letters.redrive({ ids: [letter.id] });
    await eventually("it is processed again", async () => seen.length === 3);
    const own = { tenant: "a b/ü,=", n: "1" };
    expect(seen).toEqual([1, 2, 1].map((deliveries) => ({ ...own, deliveries })));
  });

  test("leaves out what is no text, and keeps the rest and the trace", async () => {
    const options = { carryBaggage: ["*"] };
    const [half, name] = ["😀".slice(0, 1), `x${"😀".slice(1)}`];
    const id = await addWith({ tenant: "a", cut: `name ${half}`, [name]: "b", [half]: "😀".slice(1) }, options);
    const entry = await entryOf(id);
    expect(entry.slice(2, 4)).toEqual(["rb:baggage", "tenant=a"]);
    expect(entry).toContain("rb:traceparent");
    await eventually("the span has ended", () => receiver.spans.length === 1);
  });

  test("is neither written nor given to a batch without that", async () => {
    const id = await addWith({ tenant: "a" }, {});
    expect(await entryOf(id)).not.toContain("rb:baggage");
    await addWith({ tenant: "a" }, { carryBaggage: ["*"] });
    const seen: object[] = [];
    const consumer = consume({ batchSize: 1 });
    void consumer.run((batch) => {
      seen.push(activeBaggage(), { ...batch.messages[0]?.fields });
      batch.ack();
    });
    await eventually("both are processed", async () => seen.length === 4);
    expect(seen).toEqual([{}, { n: "1" }, {}, { n: "1" }]);
  });

  test("is given to a batch only if all of its messages carry the same; each message has its own", async () => {
    const options = { carryBaggage: ["*"] };
    await addWith({ tenant: "a" }, options);
    await addWith({ tenant: "a" }, options);
    await addWith({ tenant: "b" }, options);
    const consumer = consume({ batchSize: 2 }, options);
    const seen: object[] = [];
    void consumer.run((batch) => {
      seen.push(activeBaggage());
      for (const message of batch) seen.push(context.with(contextOfMessage(message), activeBaggage));
      batch.ack();
    });
    await eventually("all are processed", async () => seen.length === 5);
    expect(seen).toEqual([{ tenant: "a" }, { tenant: "a" }, { tenant: "a" }, { tenant: "b" }, { tenant: "b" }]);
  });

  test("is bounded in size, and what is hostile is no baggage: the message is worked on", async () => {
    const id = await addWith(
      { long: "x".repeat(2_000), short: "1", "n\u0000\n,;=": "2" },
      { carryBaggage: ["*"], maxBaggageBytes: 64 },
    );
    expect((await entryOf(id)).slice(2, 4)).toEqual(["rb:baggage", "short=1,n%00%0A%2C%3B%3D=2"]);
    const parent = (await entryOf(id)).at(-1) ?? "";
    for (const bad of ["%", "=", "a", ",,,", `a=${"x".repeat(9_000)}`, "\u0000", "__proto__=1,a=%zz,b=2"]) {
      await redis.server.command("XADD", stream, "*", "n", "1", "rb:baggage", bad, "rb:traceparent", parent);
    }
    const seen: object[] = [];
    void consume({ batchSize: 1 }, { carryBaggage: ["*"] }).run((batch) => {
      seen.push(activeBaggage());
      expect({ ...batch.messages[0]?.fields }).toEqual({ n: "1" });
      batch.ack();
    });
    await eventually("all are processed", async () => seen.length === 8);
    expect(seen.slice(1, -1)).toEqual([{}, {}, {}, {}, {}, {}]);
    expect(seen.at(-1)).toMatchObject({ b: "2" });
    expect(({} as { readonly a?: unknown }).a).toBeUndefined();
  });
});

test("carryContext: false leaves the entries as they are", async () => {
  const id = await produce({ carryContext: false }).add({ n: 1 });
  expect(await entryOf(id)).toEqual(["n", "1"]);
  expect(await receiver.named(`add ${stream}`)).toHaveLength(1);
});

test("counts and durations go by the conventions", async () => {
  await produce().addMany([{ n: 1 }, { n: 2 }]);
  let calls = 0;
  void consume({ batchSize: 2 }).run((batch) => {
    if (++calls === 1) throw new TypeError("no disk");
    batch.ack();
  });
  await eventually("both are done", () =>
    receiver.spans.some(({ attributes }) => attributes["redis_batch.settled.acknowledged"] !== undefined),
  );
  await meterProvider.forceFlush();
  const of = (metric: string, attributes: object = {}): number =>
    receiver.points
      .filter((point) => point.metric === metric)
      .filter((point) => Object.entries(attributes).every(([name, value]) => point.attributes[name] === value))
      .reduce((sum, { count }) => sum + count, 0);
  const add = { "messaging.operation.name": "add", "messaging.operation.type": "send" };
  expect(of("messaging.client.sent.messages", add)).toBe(2);
  expect(of("messaging.client.operation.duration", add)).toBe(2);
  expect(of("messaging.client.consumed.messages", { "messaging.consumer.group.name": "billing" })).toBeGreaterThan(2);
  expect(of("messaging.process.duration", { "error.type": "TypeError" })).toBe(1);
  expect(of("messaging.client.operation.duration", { "messaging.operation.name": "settle" })).toBeGreaterThan(0);
  for (const { metric, attributes, unit, bounds } of receiver.points) {
    expect(attributes).toMatchObject({ "messaging.system.name": "redis", "messaging.destination.name": stream });
    expect(unit).toBe(metric.endsWith(".duration") ? "s" : "{message}");
    expect(bounds?.slice(0, 2)).toEqual(unit === "s" ? [0.005, 0.01] : undefined);
    // Each value of these would be a time series of its own.
    expect(Object.keys(attributes)).not.toContain("messaging.client.id");
    expect(Object.keys(attributes)).not.toContain("redis_batch.batch.id");
  }
});

test("wrong options are refused", () => {
  expect(() => openTelemetry({ maxLinks: -1, joinTraces: true, tracerProvider: {} } as never)).toThrow(
    /joinTraces.*did you mean "joinTrace".*getTracer.*maxLinks must be/s,
  );
});
