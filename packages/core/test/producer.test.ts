import { uniqueName, useServer } from "@redis-batch/test-support";
import { expect, test } from "vitest";
import { Producer } from "../src/index.ts";

const redis = useServer();

test("add gives the id of the new entry", async () => {
  const stream = uniqueName("orders");
  await using producer = new Producer({ redis: redis.server.url, stream });
  const id = await producer.add({ orderId: "A-17", cents: 1999, paid: true, big: 2n ** 60n });
  expect(await redis.server.command("XRANGE", stream, "-", "+")).toEqual([
    [id, ["orderId", "A-17", "cents", "1999", "paid", "true", "big", "1152921504606846976"]],
  ]);
});

test("addMany adds a hundred thousand items in order", async () => {
  const stream = uniqueName("orders");
  await using producer = new Producer({ redis: redis.server.url, stream });
  const started = performance.now();
  const result = await producer.addMany(
    (function* () {
      for (let n = 0; n < 100_000; n++) yield { n };
    })(),
  );
  console.log(performance.now() - started, result);
  expect(result).toMatchObject({ added: 100_000, failed: 0 });
});
