/** What a monitor says of real consumers that hang, fail, dead-letter, pause and leave, and of groups that fall behind. */
import { RELEASED } from "@redis-batch/core/internal/names";
import { eventually, seededRandom, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { consumerOf, groupOf, useRealGroup } from "./real-group.ts";

const realGroup = useRealGroup(useServer());
const LONG = { timeoutMs: 20_000 };

describe("a handler that hangs", () => {
  it("makes its consumer STALLED at half of what it may hold a message, beside others that work, at a single look", async () => {
    const group = realGroup();
    await group.create();
    const monitor = group.monitor().monitor;
    group.start("hung", group.hang, { maxHoldMs: 4_000, prefetch: 0 });
    await group.add(5);
    await eventually("it is at work", async () => (await group.pendingOf("hung")) === 5, LONG);
    // Takes more than three leases for each batch, and is well.
    group.start(
      "slow",
      async (batch, { signal }) => {
        await eventually(
          "the batch is done",
          async () => (await group.command("EXISTS", `${group.stream}:done`)) === 1 || signal.aborted,
          { timeoutMs: 60_000 },
        );
        batch.ack();
      },
      { maxHoldMs: 60_000, prefetch: 0 },
    );
    await group.add(5);
    await eventually("the other one is at work, too", async () => (await group.pendingOf("slow")) === 5, LONG);
    await eventually(
      "it is told, by a monitor that never looked before",
      async () => {
        const seen = await group.firstLook();
        expect(consumerOf(seen, "slow").status).toBe("OK");
        return consumerOf(seen, "hung").status === "STALLED";
      },
      LONG,
    );
    const kept = await groupOf(monitor);
    expect(consumerOf(kept, "hung")).toMatchObject({
      status: "STALLED",
      reason: expect.stringMatching(/handler|hang/) as string,
    });
    expect(kept.oldestOfferableMs ?? 0).toBeLessThan(20_000);
    await group.command("SET", `${group.stream}:done`, 1);
    await eventually("the other one goes on", async () => (await group.pendingOf("slow")) === 0, LONG);
  });

  it("makes a group of one STALLED, whatever it renews, and however often somebody adds", async () => {
    const group = realGroup();
    await group.create();
    group.start("only", group.hang, { maxHoldMs: 3_000, prefetch: 0 });
    const { monitor } = group.monitor();
    await eventually(
      "the group is called stalled",
      async () => {
        await group.add(1);
        const { health } = await groupOf(monitor);
        expect(["OK", "UNKNOWN", "STALLED"]).toContain(health);
        return health === "STALLED";
      },
      LONG,
    );
    expect((await group.firstLook()).health).toBe("STALLED");
  });
});

describe("a consumer of several streams", () => {
  it("is not stalled in one group while its only handler works on the other stream", async () => {
    const group = realGroup();
    const other = `${group.stream}-other`;
    await group.create();
    let isAtWork = false;
    const handle = (batch: Parameters<Parameters<typeof group.start>[1]>[0]): void | Promise<void> => {
      if (batch.stream !== other) return batch.ack();
      isAtWork = true;
      return group.hang();
    };
    group.start("both", handle, {
      ...{ stream: undefined, streams: [group.stream, other], leaseMs: 600, maxHoldMs: 60_000, prefetch: 0 },
    });
    await group.command("XADD", other, "*", "n", 1);
    // It ends its read once its only handler is at work: without reading ahead there is no room.
    const waits = async () => String(await group.command("CLIENT", "LIST")).includes("flags=b");
    await eventually("it is at work there", async () => isAtWork && !(await waits()), LONG);
    await group.add(5);
    const { monitor } = group.monitor();
    const statuses = new Set<string>();
    let beganAtMs = 0;
    // With nothing to do elsewhere it would be called stalled after two leases.
    await eventually(
      "four leases are over",
      async () => {
        const { atMs, groups } = await monitor.inspect();
        const [seen] = groups;
        if (seen?.oldestWaitingAgeMs == null) throw new Error("nothing waits");
        const { status, foreign } = consumerOf(seen, "both");
        if (!foreign) statuses.add(status);
        beganAtMs ||= atMs;
        return atMs - beganAtMs > 2_400;
      },
      LONG,
    );
    expect([...statuses]).toEqual(["OK"]);
  });
});

describe("a group that falls behind", () => {
  it("by 10 % is detected through noise within 75 looks, and then at each look", async () => {
    const group = realGroup();
    await group.create();
    await group.add(2_000);
    const { monitor } = group.monitor();
    const random = seededRandom(42);
    const noisy = (mean: number): number => Math.round(mean * (0.8 + 0.4 * random.next()));
    const seen: string[] = [];
    for (let look = 0; look < 200; look++) {
      await group.add(noisy(500));
      await group.workOff("c1", noisy(450));
      const { health, reason, backlog } = await groupOf(monitor);
      seen.push(health);
      // The verdict is of this look, whatever it was before.
      expect(reason).toContain(`${backlog.messages} messages are waiting`);
    }
    const first = seen.indexOf("FALLING BEHIND");
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(75);
    expect(new Set(seen.slice(first))).toEqual(new Set(["FALLING BEHIND"]));
    const { reason } = await groupOf(monitor);
    expect(reason).toMatch(/\d+ more than .* ago; the oldest has waited/);
  });

  it("says that nothing waits as soon as nothing does", async () => {
    const group = realGroup();
    await group.create();
    await group.add(10);
    const { monitor } = group.monitor();
    for (let look = 0; look < 12; look++) {
      await group.add(50);
      await group.workOff("c1", 10);
      await monitor.inspect();
    }
    expect((await groupOf(monitor)).health).toBe("FALLING BEHIND");
    await group.workOff("c1", 10_000);
    const after = await groupOf(monitor);
    expect(after).toMatchObject({
      health: "OK",
      backlog: { messages: 0 },
      reason: "no messages are waiting or pending",
    });
  });
});

it("a group that dead-letters what it gets is FAILING, at a single look as well, though nothing is left to do", async () => {
  const group = realGroup();
  await group.create();
  const { monitor } = group.monitor();
  await monitor.inspect();
  group.start(
    "dead-letters",
    (batch) => {
      for (const message of batch) message.deadLetter("it is not what it should be");
    },
    { batchSize: 50 },
  );
  await group.add(300);
  await eventually("all of it is dead-lettered", async () => (await groupOf(monitor)).deadLetters === 300, LONG);
  const kept = await groupOf(monitor);
  expect(kept).toMatchObject({
    health: "FAILING",
    reason: expect.stringMatching(/^300 of the 300 messages/) as string,
  });
  // Its next heartbeat tells what it did.
  await eventually("a first look says so, too", async () => (await group.firstLook()).health === "FAILING", LONG);
});

it("a group that was set back is REWOUND until it has come to where it was", async () => {
  const group = realGroup();
  await group.create();
  await group.add(2_000);
  await group.workOff("c", 2_000);
  const { monitor } = group.monitor({ historyLength: 5 });
  await monitor.inspect();
  await group.command("XGROUP", "SETID", group.stream, group.group, 0);
  for (let read = 0; read < 1_990; read += 50) {
    await group.workOff("c", read === 1_950 ? 40 : 50);
    expect((await groupOf(monitor)).health).toBe("REWOUND");
  }
  await group.workOff("c", 50);
  expect((await groupOf(monitor)).health).toBe("OK");
});

it("a group ahead of its stream is AHEAD, with a real consumer that waits for ever", async () => {
  const group = realGroup();
  await group.create("99999999999999-0");
  group.start("waits", (batch) => batch.ack());
  await group.add(20);
  await eventually(
    "it has told of itself",
    async () => (await group.firstLook()).consumers.some(({ foreign }) => !foreign),
    LONG,
  );
  expect(await group.firstLook()).toMatchObject({
    health: "AHEAD",
    reason: expect.stringContaining("99999999999999-0") as string,
  });
});

it("a consumer that is paused is told as PAUSED, and a group of which all are as STOPPED while messages wait", async () => {
  const group = realGroup();
  await group.create();
  const consumer = group.start("rests", (batch) => batch.ack());
  await eventually("it is there", async () => (await group.firstLook()).consumers.length === 1, LONG);
  consumer.pause();
  await eventually("it says so", async () => consumerOf(await group.firstLook(), "rests").status === "PAUSED", LONG);
  await group.add(3);
  expect(await group.firstLook()).toMatchObject({
    health: "STOPPED",
    reason: expect.stringContaining("3 messages are waiting") as string,
  });
  consumer.resume();
  await eventually("it works again", async () => (await group.firstLook()).health === "OK", LONG);
});

it("a consumer that fails on what others can do is FAILING, and the group is not", async () => {
  const group = realGroup();
  await group.create();
  const retry = { baseMs: 50, capMs: 200 };
  group.start(
    "broken",
    () => {
      throw new Error("the disk is full");
    },
    { retry },
  );
  group.start("sound", (batch) => batch.ack(), { retry });
  await eventually(
    "it is told",
    async () => {
      await group.add(5);
      const seen = await group.firstLook();
      return seen.consumers.some(({ consumer, status }) => consumer === "broken" && status === "FAILING");
    },
    { timeoutMs: 30_000 },
  );
  const seen = await group.firstLook();
  expect(consumerOf(seen, "sound").status).toBe("OK");
  expect(seen.health).not.toBe("FAILING");
});

it("what a consumer left when it was closed is released, shown as that, and no consumer is made of it", async () => {
  const group = realGroup();
  await group.create();
  const consumer = group.start("closes", group.hang, { prefetch: 1 });
  await group.add(10);
  await eventually("it holds some", async () => (await group.pendingOf("closes")) === 10, LONG);
  await consumer.close();
  const seen = await group.firstLook();
  expect(seen).toMatchObject({ consumers: [], pending: 10, health: "STOPPED" });
  // Those that its handler did not finish wait for a moment before they are offered again.
  expect(seen.released.messages).toBeGreaterThanOrEqual(5);
  expect(seen.released.messages + seen.later.messages).toBe(10);
  expect(seen.oldestOfferableMs).toBe(seen.released.oldestMs);
});

it("a clean-up releases what a killed process left, and says who took it", async () => {
  const group = realGroup();
  await group.create();
  await group.killOne("killed", 200);
  group.start("a", (batch) => batch.ack(), { recoverEveryMs: 3_600_000, batchSize: 50 });
  group.start("b", (batch) => batch.ack(), { recoverEveryMs: 3_600_000, batchSize: 50 });
  await eventually(
    "both are there, and the heartbeat of the third is late",
    async () => {
      const statuses = (await group.firstLook()).consumers.map(({ status }) => status);
      return statuses.toSorted().join() === "DEAD,OK,OK";
    },
    LONG,
  );
  const { groups } = await group.monitor().monitor.cleanUp();
  expect(groups[0]).toMatchObject({ removed: ["killed"], left: [], taken: { waiting: 0 } });
  const moved = groups[0]?.moves.reduce((sum, { to, messages }) => sum + (to === RELEASED ? messages : 0), 0);
  expect(moved).toBe(200);
  expect(groups[0]?.taken?.by.every(({ consumer }) => ["a", "b"].includes(consumer))).toBe(true);
  await eventually("all is acknowledged", async () => (await group.firstLook()).pending === 0, LONG);
});

describe("on Redis 7.0, which does not count reads that return nothing", () => {
  const onSevenZero = useRealGroup(useServer({ version: "redis-7.0" }));

  it("a foreign name that gets nothing while others do is not OK, and its name is removed", async () => {
    const group = onSevenZero();
    await group.create();
    await group.add(2);
    await group.workOff("gone", 1);
    await group.workOff("here", 1);
    const { monitor } = group.monitor({ foreignIdleMs: 1_000, idleThresholdMs: 500, graceMs: 0 });
    // The quiet group as a whole says nothing of either.
    await eventually("both have got nothing for long", async () => {
      const { consumers } = await groupOf(monitor);
      return consumers.every(({ idleMs }) => idleMs > 1_000);
    });
    expect((await groupOf(monitor)).consumers.map(({ status }) => status)).toEqual(["OK", "OK"]);
    await group.add(1);
    await group.workOff("here", 1);
    const seen = await groupOf(monitor);
    expect([consumerOf(seen, "gone").status, consumerOf(seen, "here").status]).toEqual([
      "WARNING - idle for long time",
      "OK",
    ]);
    const { groups } = await monitor.cleanUp();
    expect(groups[0]?.removed).toEqual(["gone"]);
    expect((await groupOf(monitor)).consumers.map(({ consumer }) => consumer)).toEqual(["here"]);
  });
});
