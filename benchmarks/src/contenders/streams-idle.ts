/** Waits for messages of several streams on which nothing happens. What it counts is seconds. */
import { setTimeout as pause } from "node:timers/promises";
import { contendWithStreams } from "../several.ts";

await contendWithStreams({
  handle: (batch) => batch.ack(),
  async besides(meter) {
    while (!meter.isDone) {
      await pause(1_000);
      meter.saw(1);
    }
  },
});
