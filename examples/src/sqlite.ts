/**
 * SQLite: rows by batch, each message stored once
 *
 * The id of the message is the primary key, so storing it again changes nothing. A batch is one transaction: one sync of
 * the disk for all of its rows. Uses `node:sqlite`, so it needs Node 22.13 or later; better-sqlite3 is used in the same way.
 */
import { DatabaseSync } from "node:sqlite";
import { Consumer } from "@redis-batch/consumer";
import { settings } from "./settings.ts";

const database = new DatabaseSync(process.env["DATABASE_FILE"] ?? "readings.db");
// Two processes may write to the file: the second waits.
database.exec("PRAGMA busy_timeout = 10000");
database.exec("PRAGMA journal_mode = WAL");
database.exec("CREATE TABLE IF NOT EXISTS readings (id TEXT PRIMARY KEY, sensor TEXT NOT NULL, celsius REAL NOT NULL)");
const insert = database.prepare("INSERT OR IGNORE INTO readings (id, sensor, celsius) VALUES (?, ?, ?)");

const consumer = new Consumer({ ...settings, stream: "readings", group: "archive", batchSize: 500, maxWaitMs: 200 });
process.once("SIGTERM", () => void consumer.close());

await consumer.run((batch) => {
  database.exec("BEGIN IMMEDIATE");
  try {
    for (const message of batch) {
      const { sensor, celsius } = message.fields;
      const value = Number(celsius);
      if (sensor === undefined || celsius === undefined || Number.isNaN(value)) message.deadLetter("no reading");
      else insert.run(message.id, sensor, value);
    }
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
  // What has an outcome keeps it.
  batch.ack();
  console.log(`stored ${batch.size}`);
});
database.close();
