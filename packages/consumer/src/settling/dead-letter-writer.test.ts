import { ConnectionError } from "@redis-batch/core";
import { describe, expect, it } from "vitest";
import { openParts } from "../../test/parts.ts";

const MAX_DELIVERIES = 4;

describe("DeadLetterWriter", () => {
  it("releases a message for its last chance where another one is alive, also one that it holds by its id only", async () => {
    const { clock, deadLetterWriter, held, heartbeat, deliver, events, where } = await openParts();
    await heartbeat("other");
    const [id = ""] = await deliver("me", 1, MAX_DELIVERIES);
    held.reserve(id);
    deadLetterWriter.add({ id, message: undefined, why: "maxDeliveries", text: "", isLastChance: true });
    await clock.settle();
    expect(await where()).toMatchObject({ me: {}, released: { [id]: MAX_DELIVERIES } });
    expect(events.all("released")).toMatchObject([{ messages: 1, why: "second-opinion" }]);
    expect(held.size).toBe(0);
  });

  it("asks again who is alive, and dead-letters nothing meanwhile, when the server could not be asked", async () => {
    const { redis, clock, deadLetterWriter, held, heartbeat, deliver, events, where } = await openParts();
    await heartbeat("other");
    const [id = ""] = await deliver("me", 1, MAX_DELIVERIES);
    held.reserve(id);
    redis.failNext("registry", new ConnectionError("cut", { outcome: "unknown" }));
    deadLetterWriter.add({ id, message: undefined, why: "maxDeliveries", text: "", isLastChance: true });
    await clock.advance(2_000);
    expect(events.all("deadLettered")).toEqual([]);
    expect(await where()).toMatchObject({ released: { [id]: MAX_DELIVERIES } });
  });
});
