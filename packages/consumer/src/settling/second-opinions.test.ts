import { describe, expect, it } from "vitest";
import { openParts } from "../../test/parts.ts";

describe("SecondOpinions", () => {
  it("leaves to others what failed here for half a lease, and what was given up for a whole one", async () => {
    const { clock, secondOpinions, peers, heartbeat } = await openParts();
    await heartbeat("other");
    await peers.look();
    secondOpinions.remember(["1-1"], "failed");
    secondOpinions.remember(["2-1"], "opinion");
    expect(secondOpinions.notWanted()).toEqual(["1-1", "2-1"]);
    await clock.advance(5_000);
    expect(secondOpinions.notWanted()).toEqual(["2-1"]);
    await clock.advance(5_000);
    expect(secondOpinions.notWanted()).toEqual([]);
  });

  it("is its own second opinion where nobody else is there", async () => {
    const { secondOpinions, peers } = await openParts();
    await peers.look();
    secondOpinions.remember(["1-1"], "opinion");
    expect(secondOpinions.notWanted()).toEqual([]);
  });

  it("says what another one acknowledged, once, and not what went to the dead letters or is still pending", async () => {
    const { client, address, secondOpinions, succeededElsewhere, deliver, heartbeat } = await openParts();
    await heartbeat("other");
    const [done = "", dead = "", open = ""] = await deliver("other", 3);
    secondOpinions.remember([done, dead, open], "failed");
    await client.xack({ ...address, ids: [done] });
    await client.moveToDeadLetters({ ...address, consumer: "other", id: dead, reason: "rejected", error: "" });
    await secondOpinions.look();
    expect(succeededElsewhere).toEqual([1]);
    await secondOpinions.look();
    expect(succeededElsewhere).toEqual([1]);
    await client.xack({ ...address, ids: [open] });
    await secondOpinions.look();
    expect(succeededElsewhere).toEqual([1, 1]);
  });

  it("says nothing of what is gone where nobody else is there to have acknowledged it", async () => {
    const { client, address, secondOpinions, succeededElsewhere, deliver } = await openParts();
    const ids = await deliver("me", 3);
    secondOpinions.remember(ids, "failed");
    await client.xack({ ...address, ids });
    await secondOpinions.look();
    expect(succeededElsewhere).toEqual([]);
  });

  it("says nothing of what a group had that was deleted", async () => {
    const { client, address, secondOpinions, succeededElsewhere, deliver, heartbeat } = await openParts();
    await heartbeat("other");
    const ids = await deliver("other", 3);
    secondOpinions.remember(ids, "failed");
    await client.xack({ ...address, ids });
    secondOpinions.forget();
    await secondOpinions.look();
    expect(succeededElsewhere).toEqual([]);
  });

  it("looks at all of them in turn, however many are still pending", async () => {
    const { client, address, secondOpinions, succeededElsewhere, deliver, heartbeat } = await openParts();
    await heartbeat("other");
    const ids = await deliver("other", 50);
    secondOpinions.remember(ids, "failed");
    await client.xack({ ...address, ids: ids.slice(-1) });
    for (let looks = 0; looks < 3; looks++) await secondOpinions.look();
    expect(succeededElsewhere).toEqual([1]);
  });

  it("remembers the newest thousand, and none for longer than a lease", async () => {
    const { clock, secondOpinions, succeededElsewhere, peers, heartbeat } = await openParts();
    await heartbeat("other");
    await peers.look();
    secondOpinions.remember(
      Array.from({ length: 1_500 }, (_, at) => `${at}-1`),
      "opinion",
    );
    expect(secondOpinions.notWanted()).toHaveLength(1_000);
    expect(secondOpinions.notWanted()[0]).toBe("500-1");
    await clock.advance(10_000);
    // All of them are pending for nobody; what is forgotten says nothing.
    await secondOpinions.look();
    expect(succeededElsewhere).toEqual([]);
  });
});
