/** Each alert rule fires on what a monitor exports of a real group with that fault, and none on a healthy one. */
import { readFileSync } from "node:fs";
import { RELEASED } from "@redis-batch/core/internal/names";
import { eventually, findPromtool, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { type Monitor, type MonitorOptions, MonitorTally, toPrometheus } from "../src/index.ts";
import { firingOn, type Scrapes } from "./firing.ts";
import { consumerOf, groupOf, type RealGroup, useRealGroup } from "./real-group.ts";

const promtool = await findPromtool();
const why = "path" in promtool ? "" : `: skipped, ${promtool.skipReason}`;
const path = "path" in promtool ? promtool.path : "";
const LONG = { timeoutMs: 20_000 };
const RULES = readFileSync(new URL("../alerts/redis-batch.rules.yml", import.meta.url), "utf8");

/** Which rules have been seen to fire. */
const seen = new Set<string>();
const firing = async (...monitors: readonly Scrapes[]): Promise<readonly string[]> => {
  const names = await firingOn(path, monitors);
  for (const name of names) seen.add(name);
  return names;
};

/** The first entries of the stream. */
async function firstIds(group: RealGroup, count: number): Promise<string[]> {
  const entries = (await group.command("XRANGE", group.stream, "-", "+", "COUNT", count)) as [string, string[]][];
  return entries.map(([id]) => id);
}

/** A monitor whose every look is scraped. */
function scraped(group: RealGroup, options: Partial<MonitorOptions> = {}) {
  const tally = new MonitorTally(group.stream);
  const monitor: Monitor = group.monitor({ observer: tally.observe, ...options }).monitor;
  const texts: string[] = [];
  const scrape = (): void => {
    texts.push(toPrometheus(monitor.lastReport, { tally }));
  };
  const look = async () => {
    const report = await groupOf(monitor);
    scrape();
    return report;
  };
  return { monitor, texts, scrape, look, goesOn: (): Scrapes => ({ texts, after: "goes on" }) };
}

describe.skipIf(!("path" in promtool))(`the alert rules${why}`, () => {
  const realGroup = useRealGroup(useServer());

  /** A group with a consumer that works. */
  async function working(options: Partial<MonitorOptions> = {}) {
    const group = realGroup();
    await group.create();
    const consumer = group.start("works", (batch) => batch.ack());
    const watched = scraped(group, options);
    await eventually(
      "it has told of itself",
      async () => {
        const { consumers } = await groupOf(watched.monitor);
        return consumers.some(({ foreign, status }) => !foreign && status === "OK");
      },
      LONG,
    );
    return { ...watched, group, consumer };
  }

  it("are silent while all is well, with messages and without", async () => {
    const { group, look, goesOn, monitor } = await working();
    await look();
    await group.add(300);
    await look();
    await eventually("all is done", async () => (await groupOf(monitor)).pending === 0, LONG);
    await look();
    expect(await firing(goesOn())).toEqual([]);
  });

  it("report a group nobody works for", async () => {
    const { group, consumer, look, goesOn } = await working();
    await look();
    await consumer.close();
    await group.add(5);
    expect((await look()).health).toBe("STOPPED");
    expect(await firing(goesOn())).toEqual(["RedisBatchGroupStopped"]);
  });

  it("report a consumer whose handler hangs, and of a group of which all do", async () => {
    const group = realGroup();
    await group.create();
    group.start("hung", group.hang, { maxHoldMs: 6_000, prefetch: 0 });
    await group.add(5);
    const { monitor, look, goesOn } = scraped(group);
    await eventually("it is told", async () => (await groupOf(monitor)).health === "STALLED", LONG);
    await look();
    expect(await firing(goesOn())).toEqual(["RedisBatchConsumersStalled", "RedisBatchGroupStalled"]);
  });

  it("report a group that falls behind", async () => {
    const group = realGroup();
    await group.create();
    const { look, goesOn } = scraped(group);
    for (let minute = 0; minute < 12; minute++) {
      await group.add(500 + 10 * (minute % 3));
      await group.workOff("plain", 450);
      await look();
    }
    expect(await firing(goesOn())).toEqual(["RedisBatchGroupFallingBehind"]);
  });

  it("report a group that was set back, and of one ahead of its stream", async () => {
    const back = realGroup();
    await back.create();
    await back.add(20);
    await back.workOff("plain", 20);
    const { look, goesOn } = scraped(back);
    await look();
    await back.command("XGROUP", "SETID", back.stream, back.group, 0);
    expect((await look()).health).toBe("REWOUND");
    expect(await firing(goesOn())).toEqual(["RedisBatchGroupRewound"]);

    const ahead = realGroup();
    await ahead.create("99999999999999-0");
    await ahead.add(3);
    const other = scraped(ahead);
    await other.look();
    expect(await firing(other.goesOn())).toEqual(["RedisBatchGroupAhead"]);
  });

  it("report a group that moves most of its messages to the dead letters", async () => {
    const group = realGroup();
    await group.create();
    const { monitor, look, goesOn } = scraped(group);
    await look();
    group.start("dead-letters", (batch) => {
      for (const message of batch) message.deadLetter("it is not what it should be");
    });
    await group.add(30);
    await eventually("all is dead-lettered", async () => (await groupOf(monitor)).deadLetters === 30, LONG);
    expect((await look()).health).toBe("FAILING");
    expect(await firing(goesOn())).toEqual(["RedisBatchDeadLettersGrow", "RedisBatchGroupFailing"]);
  });

  it("report a consumer that fails on what others can do", async () => {
    const { group, monitor, look, goesOn } = await working();
    group.start(
      "broken",
      () => {
        throw new Error("the disk is full");
      },
      { retry: { baseMs: 50, capMs: 200 } },
    );
    await eventually(
      "it is told",
      async () => {
        await group.add(5);
        const { consumers } = await groupOf(monitor);
        return consumers.some(({ consumer, status }) => consumer === "broken" && status === "FAILING");
      },
      { timeoutMs: 30_000 },
    );
    await look();
    expect(await firing(goesOn())).toEqual(["RedisBatchConsumersFailing"]);
  });

  it("report consumers that are paused", async () => {
    const { consumer, monitor, look, goesOn } = await working();
    consumer.pause();
    await eventually("it says so", async () => consumerOf(await groupOf(monitor), "works").status === "PAUSED", LONG);
    await look();
    expect(await firing(goesOn())).toEqual(["RedisBatchConsumersHeldUp"]);
  });

  it("report a process that was killed", async () => {
    const group = realGroup();
    await group.create();
    await group.killOne("killed", 5);
    await group.command("XGROUP", "CREATECONSUMER", group.stream, group.group, "plain");
    const { monitor, look, goesOn } = scraped(group);
    await eventually("it is dead", async () => consumerOf(await groupOf(monitor), "killed").status === "DEAD", LONG);
    await look();
    expect(await firing(goesOn())).toEqual(["RedisBatchConsumersDead"]);
  });

  it("report messages that were removed too early, and of a group of which little is known", async () => {
    const group = realGroup();
    await group.create();
    await group.add(20);
    await group.workOff("plain", 5);
    const { look, goesOn } = scraped(group, { countLimit: 0 });
    await look();
    await group.command("XTRIM", group.stream, "MAXLEN", 10);
    // A hole in what waits: the server knows no longer how much that is.
    const [, second] = await firstIds(group, 2);
    await group.command("XDEL", group.stream, second ?? "");
    expect((await look()).health).toBe("UNKNOWN");
    expect(await firing(goesOn())).toEqual(["RedisBatchGroupUnknown", "RedisBatchMessagesLost"]);
  });

  it("report released messages that nobody takes", async () => {
    const group = realGroup();
    await group.create();
    const consumer = group.start("closes", group.hang, { prefetch: 1 });
    await group.add(10);
    await eventually("it holds them", async () => (await group.pendingOf("closes")) === 10, LONG);
    await consumer.close();
    const { look, goesOn } = scraped(group);
    const [page] = (await group.command("XPENDING", group.stream, group.group, "-", "+", 1, RELEASED)) as string[][];
    const id = page?.[0] ?? "";
    // As it looks after two minutes.
    await group.command("XCLAIM", group.stream, group.group, RELEASED, 0, id, "IDLE", 120_000, "JUSTID");
    expect((await look()).released.oldestMs).toBeGreaterThanOrEqual(120_000);
    const names = await firing(goesOn());
    expect(names).toContain("RedisBatchReleasedNotTaken");
    expect(names).toContain("RedisBatchGroupStopped");
  });

  it("report deferred messages that are due and that no consumer claims", async () => {
    const group = realGroup();
    await group.create();
    let offered = 0;
    const consumer = group.start("defers", (batch) => {
      for (const message of batch) message.retry({ delayMs: 3_600_000 });
      offered += batch.size;
    });
    await group.add(3);
    const { look, goesOn } = scraped(group);
    await eventually("they are deferred", async () => offered === 3, LONG);
    await consumer.close();
    expect(await look()).toMatchObject({ later: { messages: 3, overdueMs: null }, released: { messages: 0 } });
    const due = `rb:{${group.stream}}:due:${group.stream}:${group.group}`;
    const [id = ""] = (await group.command("ZRANGE", due, 0, 0)) as string[];
    await group.command("ZADD", due, Date.now() - 120_000, id);
    expect((await look()).later.overdueMs).toBeGreaterThan(60_000);
    expect(await firing(goesOn())).toEqual(["RedisBatchDeferredOverdue", "RedisBatchGroupStopped"]);
  });

  it("report a monitor that is gone, while another one of another stream goes on, and of all of them gone", async () => {
    const one = await working();
    const other = await working();
    for (const { look } of [one, other]) await look();
    const gone: Scrapes = { texts: one.texts, after: "gone" };
    expect(await firing(gone, other.goesOn())).toEqual(["RedisBatchMonitorGone"]);
    // Another monitor of the same group tells all there is to know.
    expect(await firing(gone, one.goesOn())).toEqual([]);
    expect(await firing(gone)).toEqual(["RedisBatchMonitorAbsent", "RedisBatchMonitorGone"]);
  });

  describe("with a server that dies", () => {
    const own = useRealGroup(useServer({ own: true }));

    it("report a monitor that sees nothing and fails again and again", async () => {
      const group = own();
      await group.create();
      await group.workOff("plain", 1);
      const { monitor, events } = group.monitor({ connectTimeoutMs: 2_000 });
      const texts: string[] = [];
      const scrape = (): void => {
        const counted = new MonitorTally(group.stream);
        for (const event of events.events) counted.observe(event);
        texts.push(toPrometheus(monitor.lastReport, { tally: counted }));
      };
      const running = monitor.run({ intervalMs: 100 });
      await events.waitFor("inspected");
      scrape();
      await group.server.kill();
      await eventually("it has failed four times", async () => events.all("passFailed").length >= 4, LONG);
      scrape();
      expect(await firing({ texts, after: "blind" })).toEqual(["RedisBatchMonitorBlind", "RedisBatchMonitorFailing"]);
      await monitor.close();
      await running;
      await group.server.restart();
    });
  });

  it("have each been seen to fire above", () => {
    const all = [...RULES.matchAll(/alert: (\w+)/g)].map(([, name = ""]) => name).toSorted();
    expect([...seen].toSorted()).toEqual(all);
  });
});
