/**
 * Adds messages at an even rate, each on its own and to the streams in turn, and waits for all answers at the end. `variant`:
 * how many a second.
 */
import { Redis } from "ioredis";
import { contend } from "../contending.ts";
import { order } from "../orders.ts";

// Timers of Node are no finer than a millisecond, in which several messages would gather.
const NAP_MS = 0.1;
const cell = new Int32Array(new SharedArrayBuffer(4));

await contend(async ({ redis, stream, streams = [stream], messages, variant }, meter) => {
  const client = new Redis(redis);
  const perMs = Number(variant) / 1_000;
  const answers: Promise<unknown>[] = [];
  await client.ping();
  const beganMs = performance.now();
  for (let index = 0; index < messages; ) {
    const due = Math.min(messages, Math.floor((performance.now() - beganMs) * perMs));
    for (; index < due; index++)
      answers.push(client.xadd(streams[index % streams.length] as string, "*", ...order(index)));
    // Writes what is due, and reads answers.
    await new Promise(setImmediate);
    Atomics.wait(cell, 0, 0, NAP_MS);
  }
  meter.saw((await Promise.all(answers)).length);
  client.disconnect();
  return undefined;
});
