import { type Fields, fieldsCodec, jsonCodec, Producer, withSchema } from "@redis-batch/core";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import {
  type Batch,
  Consumer,
  type ConsumerOptions,
  type Decoder,
  type Handler,
  type HandlerContext,
  type Message,
  type Outcome,
} from "./index.ts";

const at = { redis: "redis://localhost", stream: "orders", group: "billing" };
const json = (value: unknown): Buffer[] => [Buffer.from("data"), Buffer.from(JSON.stringify(value))];

/** What a consumer with this codec gives its handler. */
function valueOf<Value>(codec: Decoder<Value>, raw: readonly Buffer[]): Value {
  const consumer = new Consumer({ ...at, codec });
  expectTypeOf(consumer).toEqualTypeOf<Consumer<Value>>();
  return codec.decode(raw);
}

describe("a consumer's value is what its schema gives, not what it takes", () => {
  test("of Zod, with defaults, coercion and transforms", () => {
    const schema = z.object({
      id: z.string(),
      cents: z.int().default(0),
      count: z.coerce.number<string | number>(),
      at: z.iso.datetime().transform((text) => new Date(text)),
    });
    type Output = { id: string; cents: number; count: number; at: Date };
    const codec = jsonCodec({ schema });
    const consumer = new Consumer({ ...at, codec });
    expectTypeOf(consumer).toEqualTypeOf<Consumer<Output>>();
    const value = valueOf(codec, json({ id: "a", count: "7", at: "2026-01-01T00:00:00Z" }));
    expectTypeOf(value).toEqualTypeOf<Output>();
    expect(value).toEqual({ id: "a", cents: 0, count: 7, at: new Date("2026-01-01") });
    // A producer takes what the schema takes.
    const producer = new Producer({ redis: at.redis, stream: at.stream, codec });
    expectTypeOf<Parameters<typeof producer.add>[0]>().toEqualTypeOf<z.input<typeof schema>>();
  });

  test("of Zod alone: a default, a coercion, a transform", () => {
    expectTypeOf(new Consumer({ ...at, codec: jsonCodec({ schema: z.int().default(0) }) })).toEqualTypeOf<
      Consumer<number>
    >();
    expectTypeOf(new Consumer({ ...at, codec: jsonCodec({ schema: z.coerce.number() }) })).toEqualTypeOf<
      Consumer<number>
    >();
    const length = z.string().transform((text) => text.length);
    expectTypeOf(new Consumer({ ...at, codec: jsonCodec({ schema: length }) })).toEqualTypeOf<Consumer<number>>();
    expect(valueOf(jsonCodec({ schema: length }), json("abc"))).toBe(3);
  });

  test("of Valibot", () => {
    const schema = v.object({
      id: v.string(),
      cents: v.optional(v.number(), 0),
      count: v.pipe(v.string(), v.transform(Number)),
    });
    type Output = { id: string; cents: number; count: number };
    const codec = jsonCodec({ schema });
    expectTypeOf(new Consumer({ ...at, codec })).toEqualTypeOf<Consumer<Output>>();
    const value = valueOf(codec, json({ id: "a", count: "7" }));
    expectTypeOf(value).toEqualTypeOf<Output>();
    expect(value).toEqual({ id: "a", cents: 0, count: 7 });
    const producer = new Producer({ redis: at.redis, stream: at.stream, codec });
    expectTypeOf<Parameters<typeof producer.add>[0]>().toEqualTypeOf<v.InferInput<typeof schema>>();
  });

  test("of ArkType, whose schemas are functions", () => {
    const schema = type({ id: "string", cents: "number = 0", count: "string.numeric.parse" });
    type Output = { id: string; cents: number; count: number };
    const codec = jsonCodec({ schema });
    expectTypeOf(new Consumer({ ...at, codec })).toEqualTypeOf<Consumer<Output>>();
    const value = valueOf(codec, json({ id: "a", count: "7" }));
    expectTypeOf(value).toEqualTypeOf<Output>();
    expect(value).toEqual({ id: "a", cents: 0, count: 7 });
    const producer = new Producer({ redis: at.redis, stream: at.stream, codec });
    expectTypeOf<Parameters<typeof producer.add>[0]>().toEqualTypeOf<typeof schema.inferIn>();
  });

  test("around the fields themselves, which are text", () => {
    const zod = withSchema(fieldsCodec, z.object({ cents: z.coerce.number<string>() }));
    const ark = withSchema(fieldsCodec, type({ cents: "string.integer.parse" }));
    const valibot = withSchema(fieldsCodec, v.object({ cents: v.pipe(v.string(), v.transform(Number)) }));
    const raw = [Buffer.from("cents"), Buffer.from("12")];
    for (const codec of [zod, ark, valibot]) expect(codec.decode(raw)).toEqual({ cents: 12 });
    expectTypeOf(new Consumer({ ...at, codec: zod })).toEqualTypeOf<Consumer<{ cents: number }>>();
    expectTypeOf(new Consumer({ ...at, codec: ark })).toEqualTypeOf<Consumer<{ cents: number }>>();
    expectTypeOf(new Consumer({ ...at, codec: valibot })).toEqualTypeOf<Consumer<{ cents: number }>>();
  });
});

test("a decoder alone is a consumer's codec", () => {
  const consumer = new Consumer({ ...at, codec: { decode: ([, value]) => Number(value) } });
  expectTypeOf(consumer).toEqualTypeOf<Consumer<number>>();
  expect(consumer.state).toBe("idle");
});

test("without a codec the value is the fields, and no type has to be named for them", () => {
  const options: ConsumerOptions = at;
  const handler: Handler = (batch) => {
    for (const message of batch) expectTypeOf(message.value).toEqualTypeOf<Fields>();
    const outcome: Outcome = { ack: "rest" };
    return outcome;
  };
  const consumer = new Consumer(options);
  expectTypeOf(consumer).toEqualTypeOf<Consumer>();
  expectTypeOf<Parameters<typeof consumer.run>[0]>().toEqualTypeOf<Handler>();
  expectTypeOf<typeof handler>().toExtend<(batch: Batch, context: HandlerContext) => unknown>();
  expectTypeOf<Message["value"]>().toEqualTypeOf<Fields>();
  expect(handler).toBeTypeOf("function");
});
