// Writes the context of a span into an entry. The only argument is the URL of a server. There is no SDK: a span that a caller
// has made is passed on as it is.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { trace } from "@opentelemetry/api";
import { Producer } from "@redis-batch/core";
import { openTelemetry } from "@redis-batch/opentelemetry";
import { Redis } from "ioredis";

const stream = `smoke-${randomUUID()}`;
const span = trace.wrapSpanContext({
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: 1,
});
const tracerProvider = { getTracer: () => ({ startSpan: () => span, startActiveSpan: () => undefined }) };
const redis = process.argv[2] ?? "";
const producer = new Producer({ redis, stream, instrumentation: openTelemetry({ tracerProvider }) });
const id = await producer.add({ n: 1 });
await producer.close();

const client = new Redis(redis);
const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
assert.deepEqual(await client.xrange(stream, id, id), [[id, ["n", "1", "rb:traceparent", traceparent]]]);
await client.del(stream);
await client.quit();
