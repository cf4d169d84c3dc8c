import type { Scenario } from "../scenario.ts";

/** Three fields, about 100 bytes in all. */
const order = (index: number): readonly string[] => [
  ...["order", `order-${index}`, "customer", `customer-${index % 1_000}`],
  ...["note", "x".repeat(60)],
];

const contender = (name: string): URL => new URL(`../contenders/${name}.ts`, import.meta.url);

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "consume-100",
    what: "Consumer.run, a handler that acknowledges everything, batch 100, against a raw ioredis loop",
    ours: contender("consumer-run"),
    reference: contender("raw-ioredis"),
    referenceName: "raw ioredis",
    batchSize: 100,
    messages: 200_000,
    fields: order,
  },
];
