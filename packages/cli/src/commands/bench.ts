import { randomUUID } from "node:crypto";
import { Consumer } from "@redis-batch/consumer";
import { Producer } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { bookkeepingKeys, groupKey } from "@redis-batch/core/internal/names";
import { systemClock } from "@redis-batch/core/internal/service";
import type { Invocation, Run } from "../command.ts";
import { findServer, type Server, withClient } from "../connection/open.ts";
import { EXIT_CODES } from "../exit-codes.ts";
import type { bench } from "../table/bench.ts";
import { askFirst } from "./ask-first.ts";

type Call = Invocation<typeof bench>;

const GROUP = "bench";
// A limit for the stream, so that one that is left behind is at least small.
const MOST_BYTES = 268_435_456;

/** Result of one half of the benchmark. */
interface Phase {
  readonly messages: number;
  readonly ms: number;
}

export const run: Run<typeof bench> = async (call) => {
  await askFirst(call, await findServer(call), "puts load on");
  return withClient(call, async (client, server) => {
    const { options, terminal, signal } = call;
    const stream = `rb-bench-${randomUUID()}`;
    const over = AbortSignal.any([signal, AbortSignal.timeout(options.time)]);
    const count = Math.min(options.count, Math.max(Math.floor(MOST_BYTES / options.size), 1));
    try {
      await client.xgroupCreate({ stream, group: GROUP, position: "start" });
      const added = await produce(call, server, stream, count, over);
      const consumed = await consume(call, server, stream, added.messages, over);
      terminal.endProgress();
      await terminal.report(
        {
          facts: [
            { key: "payloadBytes", value: options.size, unit: "bytes" },
            { key: "batchSize", value: options["batch-size"], unit: "count" },
            { key: "complete", value: consumed.messages === options.count },
          ],
          table: {
            key: "phases",
            columns: [
              { key: "phase" },
              { key: "messages", unit: "count" },
              { key: "durationMs", title: "time", unit: "ms" },
              { key: "perSecond", unit: "count" },
            ],
            rows: [rowOf("produce", added), rowOf("consume and acknowledge", consumed)],
            none: "",
          },
          notes: consumed.messages === options.count ? [] : ["Ended early: --time, Ctrl-C, or the limit of 256 MiB."],
        },
        options.json,
      );
    } finally {
      terminal.endProgress();
      await remove(client, stream);
    }
    return signal.aborted ? EXIT_CODES.interrupted.code : EXIT_CODES.ok.code;
  });
};

const rowOf = (phase: string, { messages, ms }: Phase) => ({
  ...{ phase, messages, durationMs: Math.round(ms) },
  perSecond: ms === 0 ? null : Math.round((1_000 * messages) / ms),
});

async function produce(
  call: Call,
  { redis }: Server,
  stream: string,
  count: number,
  over: AbortSignal,
): Promise<Phase> {
  const payload = Buffer.alloc(call.options.size, "x");
  function* messages() {
    for (let sent = 0; sent < count && !over.aborted; sent++) yield { payload };
  }
  await using producer = new Producer({ redis, stream, observer: () => {} });
  await producer.connect();
  const beganAtMs = systemClock.nowMs();
  const { added } = await producer.addMany(messages(), {
    onProgress: ({ added: done }) => call.terminal.progress(`${done} of ${count} produced`),
  });
  return { messages: added, ms: systemClock.nowMs() - beganAtMs };
}

async function consume(
  call: Call,
  { redis }: Server,
  stream: string,
  count: number,
  over: AbortSignal,
): Promise<Phase> {
  const stop = new AbortController();
  const consumer = new Consumer({
    ...{ redis, stream, group: GROUP, batchSize: call.options["batch-size"], maxWaitMs: 100 },
    signal: AbortSignal.any([over, stop.signal]),
    observer: () => {},
  });
  let [done, beganAtMs] = [0, systemClock.nowMs()];
  if (count === 0) stop.abort();
  await consumer.run(async (batch) => {
    if (done === 0) beganAtMs = systemClock.nowMs();
    batch.ack();
    await batch.settled();
    done += batch.size;
    call.terminal.progress(`${done} of ${count} consumed`);
    if (done >= count) stop.abort();
  });
  return { messages: done, ms: systemClock.nowMs() - beganAtMs };
}

/** Deletes the stream with its group, and the keys that its consumer kept beside it. */
async function remove(client: StreamClient, stream: string): Promise<void> {
  await client.unlink({ keys: [stream, groupKey("dead", stream, GROUP), ...bookkeepingKeys(stream, GROUP)] });
}
