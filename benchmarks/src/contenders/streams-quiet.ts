/** How long the messages of quiet streams take from just before their XADD to the handler, while the first one is busy. */
import { setTimeout as pause } from "node:timers/promises";
import { latencies } from "../latencies.ts";
import { contendWithStreams } from "../several.ts";

// How long the work on a batch of the busy stream takes.
const WORK_MS = 2;
const quiet = latencies(200);

await contendWithStreams({
  async handle(batch, meter) {
    if (batch.messages[0]?.fields["at"] === undefined) await pause(WORK_MS);
    else {
      for (const { fields } of batch) quiet.arrived(fields["at"] ?? "");
      meter.saw(batch.size);
    }
    batch.ack();
  },
  // As many handlers in all, however many consumers there are.
  options: ({ variant, streams = [] }) => ({ concurrency: variant === "apart" ? 1 : streams.length }),
  figures: () => quiet.figures(),
});
