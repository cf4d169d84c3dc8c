/**
 * A cron job: work for a while, then end
 *
 * Ends when nothing is left, or when its time is over, so that the next run does not have to wait for this one. If two
 * runs overlap, they share the work.
 */
import { writeFile } from "node:fs/promises";
import { Consumer } from "@redis-batch/consumer";
import { settings } from "./settings.ts";

const timeIsUp = AbortSignal.timeout(Number(process.env["BUDGET_MS"] ?? 50_000));
const consumer = new Consumer({ ...settings, stream: "reports", group: "nightly", batchSize: 50, maxWaitMs: 500 });

let done = 0;
try {
  while (!timeIsUp.aborted) {
    const batch = await consumer.fetch({ signal: timeIsUp });
    if (batch.size === 0) break;
    for (const message of batch) {
      // What is not acknowledged is there for the next run.
      if (timeIsUp.aborted) break;
      await makeReport(message.fields);
      message.ack();
      done++;
    }
  }
} catch (error) {
  if (error !== timeIsUp.reason) throw error;
} finally {
  await consumer.close();
}
console.log(`${done} reports, ${timeIsUp.aborted ? "and the time is up" : "and nothing is left"}`);

async function makeReport({ name }: Readonly<Record<string, string>>): Promise<void> {
  await writeFile(`${process.env["REPORTS"] ?? "."}/${name}.txt`, `The report ${name}.\n`);
  console.log(`made ${name}`);
}
