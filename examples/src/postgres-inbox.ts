/**
 * PostgreSQL: totals by bulk upsert, each order counted once
 *
 * Adding to a total is not idempotent, so the ids of the messages go into a table, the inbox, in the same statement. A
 * message that is delivered a second time is in the inbox already, and adds nothing. One statement is one transaction:
 * either a batch is in both tables, or in none.
 *
 * The inbox grows. Delete rows that are older than any message that may still be delivered again.
 */
import { Consumer, type Message } from "@redis-batch/consumer";
import { Pool } from "pg";
import { settings } from "./settings.ts";

const STREAM = "orders";

const pool = new Pool({ connectionString: process.env["DATABASE_URL"], max: 2, query_timeout: 30_000 });
// Without a listener a broken idle connection would end the process.
pool.on("error", (error) => console.error(error.message));
// With IF NOT EXISTS alone, two processes that start at the same time may collide.
await pool.query(`
  BEGIN;
  SELECT pg_advisory_xact_lock(7243002);
  CREATE TABLE IF NOT EXISTS inbox (stream text, id text, at timestamptz DEFAULT now(), PRIMARY KEY (stream, id));
  CREATE TABLE IF NOT EXISTS totals (customer text PRIMARY KEY, cents bigint NOT NULL, orders bigint NOT NULL);
  COMMIT`);

// In the order of the customers, so that two processes never wait for each other's rows.
const ADD_TO_TOTALS = `
  WITH arrived AS (
    INSERT INTO inbox (stream, id) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING RETURNING id
  )
  INSERT INTO totals (customer, cents, orders)
  SELECT customer, sum(cents), count(*)
    FROM unnest($2::text[], $3::text[], $4::bigint[]) AS batch (id, customer, cents) JOIN arrived USING (id)
   GROUP BY customer ORDER BY customer
  ON CONFLICT (customer) DO UPDATE
    SET cents = totals.cents + excluded.cents, orders = totals.orders + excluded.orders`;

const consumer = new Consumer({ ...settings, stream: STREAM, group: "totals", batchSize: 500, maxWaitMs: 200 });
process.once("SIGTERM", () => void consumer.close());

await consumer.run(async (batch) => {
  // One row that the database refuses would fail the whole statement, so it is looked for before.
  const orders = batch.messages.filter(isOrder);
  await pool.query(ADD_TO_TOTALS, [
    STREAM,
    orders.map(({ id }) => id),
    orders.map(({ fields }) => fields["customer"]),
    orders.map(({ fields }) => fields["cents"]),
  ]);
  for (const message of batch) {
    if (isOrder(message)) message.ack();
    else message.deadLetter("no order");
  }
  console.log(`stored ${orders.length}`);
});
await pool.end();

function isOrder({ fields: { customer = "", cents = "" } }: Message): boolean {
  return customer !== "" && !customer.includes("\0") && /^-?\d{1,15}$/.test(cents);
}
