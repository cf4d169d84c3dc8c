/** A scaler as a process of its own; each order it gives is an entry of a stream. */
import { Redis } from "ioredis";
import { type Executor, Scaler } from "../src/index.ts";

const { REDIS_URL = "", STREAM = "", GROUP = "", ORDERS = "", NAME = "" } = process.env;
const redis = new Redis(REDIS_URL);
const executor: Executor = {
  name: NAME,
  // Always one too few, so that each look gives an order.
  status: async () => ({ desired: 1, ready: 1, startingMs: [], startUpsMs: [] }),
  async scale(_decision, _signal, { term, sequence }) {
    await redis.xadd(ORDERS, "*", "who", NAME, "term", term, "sequence", sequence);
  },
};
const scaler = new Scaler({
  ...{ redis: REDIS_URL, stream: STREAM, group: GROUP, strategy: "ratio" },
  observer: (event) => console.log(JSON.stringify(event)),
});
await scaler.run({ intervalMs: 400, leaseMs: 1_200, executor });
