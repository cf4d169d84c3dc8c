import { ConnectionError, PermissionError } from "@redis-batch/core";
import { describe, expect, it } from "vitest";
import { openParts } from "../../test/parts.ts";
import type { PullMode } from "../decisions/redelivery.ts";
import { HoldLimit } from "./hold-limit.ts";

async function setUp() {
  const parts = await openParts();
  const { scope, open, deadLetterWriter, secondOpinions, offer } = parts;
  const limit = new HoldLimit(scope, { open, deadLetterWriter, secondOpinions });
  limit.start();
  /** A handler that does not end its batch. */
  const hang = async (count: number, mode: PullMode = "loop") => {
    const messages = await offer(count);
    return open.hand({ messages, reason: "entries", redelivered: 0 }, mode);
  };
  const idsOf = ({ batch }: Awaited<ReturnType<typeof hang>>) => batch.messages.map(({ id }) => id);
  return { ...parts, limit, hang, idsOf };
}

const LOOKED_MS = 5_500;

describe("HoldLimit", () => {
  it("tells the handler, and gives its messages to the group, when it has held them for too long", async () => {
    const { clock, hang, idsOf, held, where, events, open } = await setUp();
    const hanging = await hang(2);
    await clock.advance(4_999);
    expect([hanging.signal.aborted, open.hung]).toEqual([false, 0]);
    await clock.advance(LOOKED_MS - 4_999);
    expect([hanging.signal.aborted, open.hung]).toEqual([true, 1]);
    expect(Object.keys((await where()).released)).toEqual(idsOf(hanging));
    expect(held.size).toBe(0);
    expect(hanging.batch.messages.map(({ signal, state }) => [signal.aborted, state])).toEqual([
      [true, "tooLate"],
      [true, "tooLate"],
    ]);
    expect(events.all("heldTooLong")).toEqual([{ type: "heldTooLong", messages: 2, hung: 1 }]);
    await clock.advance(60_000);
    expect(events.all("heldTooLong")).toHaveLength(1);
  });

  it("gives a message up on which a second handler hangs, in whatever process, and only that one", async () => {
    const { clock, client, address, hang, idsOf, where, events } = await setUp();
    const hanging = await hang(3);
    const [culprit = "", ...neighbours] = idsOf(hanging);
    // It hung in another process before.
    await client.countHang({ ...address, id: culprit, rememberMs: 60_000 });
    await clock.advance(LOOKED_MS);
    expect(events.all("deadLettered")).toEqual([
      { type: "deadLettered", id: culprit, why: "hung", error: expect.any(String) as string },
    ]);
    expect(Object.keys((await where()).released)).toEqual(neighbours);
    // Each of those is offered alone from now on.
    expect(await client.hungAmong({ ...address, ids: neighbours })).toEqual(new Set(neighbours));
  });

  it("counts a hang once, though the messages could not be released at first", async () => {
    const { clock, redis, hang, idsOf, where, events } = await setUp();
    const hanging = await hang(1);
    redis.failNext("release", new ConnectionError("away", { outcome: "not-sent" }), { times: 3 });
    await clock.advance(LOOKED_MS + 5_000);
    expect(Object.keys((await where()).released)).toEqual(idsOf(hanging));
    expect(events.all("deadLettered")).toEqual([]);
  });

  it("does not count twice where nobody knows whether it was counted", async () => {
    const { clock, redis, hang, where, events } = await setUp();
    await hang(1);
    redis.failNext("countHang", new ConnectionError("the reply was lost", { outcome: "unknown" }), { moment: "after" });
    await clock.advance(LOOKED_MS);
    expect(Object.keys((await where()).released)).toHaveLength(1);
    expect(events.all("deadLettered")).toEqual([]);
  });

  it("releases without a count where it may not count", async () => {
    const { clock, redis, hang, where, failures } = await setUp();
    await hang(1);
    redis.failNext("countHang", new PermissionError("NOPERM", { command: "countHang" }));
    await clock.advance(LOOKED_MS);
    expect(Object.keys((await where()).released)).toHaveLength(1);
    expect(failures).toEqual([]);
  });

  it("lets a caller of fetch() have what has an outcome for as long as he likes, and a loop not", async () => {
    const { clock, held, hang, open } = await setUp();
    const fetched = await hang(1, "fetch");
    const looped = await hang(1, "loop");
    for (const { batch } of [fetched, looped]) for (const message of batch) held.beginAck(message);
    await clock.advance(LOOKED_MS);
    expect([fetched.signal.aborted, looped.signal.aborted, open.hung]).toEqual([false, true, 1]);
  });
});
