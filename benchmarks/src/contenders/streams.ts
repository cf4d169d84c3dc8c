/** Work on several streams in one process, with a handler that does nothing but acknowledge. */
import { contendWithStreams } from "../several.ts";

await contendWithStreams({
  handle(batch, meter) {
    batch.ack();
    meter.saw(batch.size);
  },
});
