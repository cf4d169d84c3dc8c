/**
 * A process of its own with one consumer. It prints `offered <n> <deliveries>` for each message, `event <json>` for each
 * event, and `run resolved <json>` at the end; it reads `close` and `health` from its standard input.
 */
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { Consumer, type ConsumerOptions, type Handler } from "../../src/index.ts";

type Fields = Readonly<Record<string, string>>;

/** What the process gets on its command line, as JSON. */
export interface WorkerTask {
  readonly url: string;
  readonly stream: string;
  readonly group: string;
  /**
   * `work` acknowledges after 20 ms · `throw` always throws · `hang` never settles · `deferred` puts
   * `later` off, hangs with `stuck`, and acknowledges the rest.
   */
  readonly how: "work" | "throw" | "hang" | "deferred";
  /** For `deferred`: by how much, in milliseconds. */
  readonly delayMs?: number;
  readonly options?: Partial<ConsumerOptions<Fields>>;
}

const HANDLERS: Readonly<Record<WorkerTask["how"], Handler<Fields>>> = {
  work: async (batch) => {
    await pause(20);
    batch.ack();
  },
  throw: () => {
    throw new Error("ENOSPC: no space left on device");
  },
  hang: () => new Promise(() => {}),
  deferred: async (batch) => {
    for (const message of batch) {
      if (message.fields["n"] === "stuck") await new Promise(() => {});
      if (message.fields["n"] === "later") message.retry({ delayMs: task.delayMs ?? 0 });
      else message.ack();
    }
  },
};

const task = JSON.parse(process.argv[2] ?? "{}") as WorkerTask;
const consumer = new Consumer<Fields>({
  redis: task.url,
  stream: task.stream,
  group: task.group,
  observer: (event) => console.log("event", JSON.stringify(event)),
  ...task.options,
});
const input = createInterface({ input: process.stdin });
input.on("line", (line) => {
  if (line === "health") console.log("health", JSON.stringify(consumer.health()));
  if (line !== "close") return;
  input.close();
  // A pipe that was read from keeps the process, also when nobody reads on.
  process.stdin.destroy();
  void consumer.close();
});
console.log("name", consumer.name);
const report = await consumer.run((batch, context) => {
  for (const { fields, deliveries } of batch) console.log("offered", fields["n"], deliveries);
  return HANDLERS[task.how](batch, context);
});
console.log("run resolved", JSON.stringify(report));
