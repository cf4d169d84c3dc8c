import { inspect } from "node:util";
import { expect, test } from "vitest";
import { DeadLetters } from "../dead-letters/dead-letters.ts";
import { Producer } from "../producer/producer.ts";

const redis = "redis://user:hunter2@localhost:6379";

test("a service is shown as what it is, what it works on, and how it is; never its options", () => {
  const producer = new Producer({ redis, stream: "orders" });
  const letters = new DeadLetters({ redis, stream: "orders", group: "billing" });
  expect(inspect(producer)).toBe("Producer { stream: 'orders', state: 'idle', unconfirmed: 0 }");
  expect(inspect(letters)).toBe("DeadLetters { stream: 'orders', group: 'billing', state: 'idle' }");
  expect(inspect({ deep: { deeper: { deepest: { producer } } } })).toContain("[Object]");
  expect(inspect([[[producer]]], { depth: 2 })).toContain("[Producer]");
});
