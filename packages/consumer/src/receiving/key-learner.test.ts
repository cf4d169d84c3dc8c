import { addEntry, ManualClock } from "@redis-batch/test-support";
import { createMemoryServer } from "@redis-batch/testing/internal";
import { expect, it } from "vitest";
import { makeScope } from "../../test/make-scope.ts";
import { HeldMessages } from "../scheduling/held-messages.ts";
import { KeyOrder } from "../scheduling/key-order.ts";
import { KeyLearner } from "./key-learner.ts";

const address = { stream: "orders", group: "billing" };
const MESSAGE_BYTES = 10_000;

async function learnAll(messages: number, maxBytes: number) {
  const client = createMemoryServer({ clock: new ManualClock() }).client();
  await client.connect(["commands", "reader"], { timeoutMs: 1_000 });
  await client.xgroupCreate({ ...address, position: "start" });
  for (let left = messages; left > 0; left--) {
    await addEntry(client, { stream: address.stream, fields: ["customer", "c", "text", "x".repeat(MESSAGE_BYTES)] });
  }
  await client.xreadgroup({ ...address, consumer: "dead", count: messages, blockMs: undefined });
  let [atOnce, most] = [0, 0];
  const xrange = client.xrange.bind(client);
  client.xrange = async (options) => {
    most = Math.max(most, ++atOnce);
    // All that are sent together are under way together.
    await Promise.resolve();
    return xrange(options).finally(() => atOnce--);
  };
  const order = new KeyOrder();
  const scope = makeScope({ client, order, policy: { ...address, orderBy: "customer", maxBytes } });
  const held = new HeldMessages<Readonly<Record<string, string>>>(scope.signals.roomChanged, order);
  const learner = new KeyLearner({ ...scope, held }, { builder: { keyOf: () => "c" } });
  await learner.learnGroup();
  return { learned: order.size, most };
}

it("has no more payloads under way than fit into memory", async () => {
  expect(await learnAll(60, 5 * MESSAGE_BYTES)).toEqual({ learned: 60, most: 4 });
  expect(await learnAll(10, MESSAGE_BYTES / 10)).toEqual({ learned: 10, most: 1 });
  // Small ones are read many at a time.
  expect(await learnAll(400, 1_000 * MESSAGE_BYTES)).toEqual({ learned: 400, most: 100 });
});
