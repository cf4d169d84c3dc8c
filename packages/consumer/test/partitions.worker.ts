/**
 * A process of its own with one consumer of a stream with partitions. It does its work by writing each message's key and number into a list in
 * Redis, whose order is that of completion in the whole group. It prints `owns <numbers>` when that changes, and each event.
 */
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import { Consumer, type ConsumerOptions } from "../src/index.ts";

/** What the process gets on its command line, as JSON. */
export interface PartitionTask {
  readonly port: number;
  /** The key of the list. */
  readonly done: string;
  /** How long each message takes, in milliseconds. */
  readonly workMs: number;
  readonly options: Omit<ConsumerOptions, "redis">;
}

const task = JSON.parse(process.argv[2] ?? "{}") as PartitionTask;
const redis = { host: "127.0.0.1", port: task.port };
const sink = new Redis(redis);
const consumer = new Consumer({
  redis,
  orderBy: "key",
  ...task.options,
  observer: (event) => {
    if (!("messages" in event)) console.log(`event ${JSON.stringify(event)}`);
  },
});
const running = consumer.run(async (batch) => {
  for (const message of batch) {
    if (task.workMs > 0) await pause(task.workMs);
    await sink.rpush(
      task.done,
      JSON.stringify([message.key, Number(message.fields["n"]), consumer.name, batch.partition]),
    );
    message.ack();
  }
});
createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "close") void consumer.close();
  if (line === "pause") consumer.pause();
  if (line === "resume") consumer.resume();
});
console.log("ready");
await running;
sink.disconnect();
process.exit(0);
