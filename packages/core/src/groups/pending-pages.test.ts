import { addEntry, ManualClock } from "@redis-batch/test-support";
import { createMemoryServer } from "@redis-batch/testing/internal";
import { expect, test } from "vitest";
import { pendingPages } from "./pending-pages.ts";

const address = { stream: "orders", group: "billing" };

async function deliver(count: number) {
  const client = createMemoryServer({ clock: new ManualClock() }).client();
  await client.connect(["commands", "reader"], { timeoutMs: 1 });
  await client.xgroupCreate({ ...address, position: "start" });
  const ids: string[] = [];
  for (let index = 0; index < count; index++)
    ids.push(await addEntry(client, { stream: "orders", fields: ["n", index] }));
  await client.xreadgroup({ ...address, consumer: "c1", count: 1_000 });
  return { client, ids };
}

test.each([0, 1, 4, 5, 8])("every one of %i pending messages is on one page, in order", async (count) => {
  const { client, ids } = await deliver(count);
  const pages: string[][] = [];
  for await (const page of pendingPages(client, { ...address, consumer: "c1", pageSize: 4 })) {
    pages.push(page.map(({ id }) => id));
  }
  expect(pages.flat()).toEqual(ids);
  expect(pages.every((page) => page.length > 0 && page.length <= 4)).toBe(true);
});

test("what is taken away on the way leaves nothing out", async () => {
  const { client, ids } = await deliver(10);
  const seen: string[] = [];
  for await (const page of pendingPages(client, { ...address, consumer: "c1", pageSize: 3 })) {
    seen.push(...page.map(({ id }) => id));
    await client.xack({ ...address, ids: page.map(({ id }) => id) });
  }
  expect(seen).toEqual(ids);
});
