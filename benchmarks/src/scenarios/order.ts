/** What order per key costs. */
import type { Bench, Scenario } from "../scenario.ts";
import { consumingArena } from "./consuming.ts";

interface Kind {
  readonly name: string;
  readonly what: string;
  readonly batchSize?: number;
  readonly way?: "field" | "function";
  readonly keys?: number;
  readonly isFailing?: boolean;
  /** How many messages, as a share of the usual number. */
  readonly share?: number;
  readonly maxWaitMs?: number;
}

const KINDS: readonly Kind[] = [
  { name: "order-100", what: "1,000 keys, the key is a field, batch 100" },
  { name: "order-10", what: "the same with batch 10", batchSize: 10, share: 0.5 },
  { name: "order-function", what: "the same with batch 100 and a function that returns the key", way: "function" },
  { name: "order-hot", what: "all messages have the same key, batch 100", keys: 1 },
  {
    name: "order-failing",
    what: "1,000 keys, batch 100; every hundredth message fails once, and is due again after a millisecond",
    ...{ isFailing: true, share: 0.5 },
  },
  {
    name: "order-hot-failing",
    what: "the same where all messages have the same key, with a batch wait of 10 ms; both leave what follows a failed message in its batch",
    // A failed message is alone in its batch, and nothing else can come.
    ...{ keys: 1, isFailing: true, share: 0.1, maxWaitMs: 10 },
  },
];

export const ORDER: readonly Scenario[] = KINDS.map(
  ({ name, what, batchSize = 100, way = "field", keys = 1_000, isFailing = false, share = 1, maxWaitMs = 1_000 }) => ({
    ...{ name, what, oursName: "orderBy", referenceName: "without" },
    targets: [{ metric: "client CPU µs/message", of: "ratio", bound: "at most", value: 1.15 }],
    prepare: (bench: Bench) => {
      const usual = bench.quick ? { messages: 75_000, warmUp: 25_000 } : { messages: 450_000, warmUp: 150_000 };
      const load = {
        ...{ stream: `bench:${name}`, batchSize, keys, maxWaitMs },
        ...{ messages: usual.messages * share, warmUp: usual.warmUp * share },
      };
      const variant = (one: string) => ({ contender: "ordered", variant: isFailing ? `${one} failing` : one });
      return consumingArena(bench, load, variant(way), variant("off"));
    },
  }),
);
