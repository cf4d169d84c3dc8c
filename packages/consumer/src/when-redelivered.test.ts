/** Holds the README's section "When is a message redelivered?" to what happens: its numbers, and cause by cause. */
import { readFileSync } from "node:fs";
import { deferred } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { openInMemory } from "../test/memory-bench.ts";
import type { Batch } from "./batch.ts";
import { decideRedelivery } from "./decisions/redelivery.ts";
import { CONSUMER_DEFAULTS } from "./options.ts";

type Options = NonNullable<Parameters<typeof openInMemory>[0]>;
type Fields = Readonly<Record<string, string>>;

const section = readFileSync(new URL("../README.md", import.meta.url), "utf8")
  .split(/^## /m)
  .find((part) => part.startsWith("When is a message redelivered?"));
/** The tables of the section: rows of cells, header and rule among them. */
const [delays = [], causes = []] = [...(section ?? "").matchAll(/(?:^\|.*\n)+/gm)].map(([table]) =>
  table
    .trim()
    .split("\n")
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    ),
);

it("is right about the delays", () => {
  const [[, ...ordinals] = [], , [words, ...longest] = []] = delays;
  const delayMs = (ordinal: string, chance: number): number => {
    const returned = { mode: "loop", deliveries: Number.parseInt(ordinal, 10), isCounted: true } as const;
    const redelivery = decideRedelivery({ ...returned, delayMs: undefined }, 16, CONSUMER_DEFAULTS.retry, () => chance);
    return redelivery.kind === "defer" ? redelivery.dueInMs : Number.NaN;
  };
  expect(ordinals).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9 and later"]);
  expect(longest).toEqual(ordinals.map((ordinal) => `${delayMs(ordinal, 1) / 1_000} s`));
  expect(words).toBe("between 1 s and");
  expect(ordinals.map((ordinal) => delayMs(ordinal, 0))).toEqual(ordinals.map(() => 1_000));
});

const BASE_MS = 1_000;
const MAX_WAIT_MS = 500;
// Chance is always at its longest in these tests.
const DELAY_MS = 2 * BASE_MS;
// What is released is looked for each second, and what is due in Redis as well.
const CLAIMED_MS = 2_000;
const HEARTBEAT_MS = 5_000;
const LEASE_MS = 60_000;
const DAY_MS = 86_400_000;

interface Offer {
  readonly by: "me" | "other";
  readonly atMs: number;
  readonly deliveries: number;
}

/** One consumer, `me`, and what is to be seen of one message. */
async function openScene(options: Options = {}, behind = 0) {
  const retry = { baseMs: BASE_MS, capMs: 300_000 };
  const bench = await openInMemory({ maxWaitMs: MAX_WAIT_MS, retry, ...options });
  const { clock, consumer } = bench;
  for (let n = 0; n < behind; n++) await bench.add(n);
  const watched = await bench.add(behind);
  const offers: Offer[] = [];
  const ends: (() => Promise<unknown>)[] = [];
  const note = (by: Offer["by"], batch: Batch<Fields>): void => {
    const message = batch.messages.find(({ id }) => id === watched);
    if (message !== undefined) offers.push({ by, atMs: clock.nowMs(), deliveries: message.deliveries });
  };
  /** Lets the clock go on until it is so. */
  const until = async (isSo: () => boolean): Promise<void> => {
    const startedAtMs = clock.nowMs();
    while (!isSo()) {
      await clock.advanceToNext();
      if (clock.nowMs() - startedAtMs > DAY_MS) throw new Error("it has not happened for a day");
    }
  };
  const offered = (times: number): Promise<void> => until(() => offers.length >= times);
  /** Runs this consumer: what happens to each batch, one after the other; to the last one again and again. */
  const run = (...steps: ((batch: Batch<Fields>) => unknown)[]): void => {
    const running = consumer.run(async (batch) => {
      note("me", batch);
      const step = steps.length > 1 ? steps.shift() : steps[0];
      await step?.(batch);
    });
    ends.push(() => running);
  };
  /** Iterates over the batches of this consumer, and gives no message an outcome. */
  const iterate = (): void => {
    const iterating = (async (): Promise<void> => {
      for await (const batch of consumer) note("me", batch);
    })();
    ends.push(() => iterating);
  };
  /** Another consumer, which acknowledges whatever it gets. Resolves when this one can know that it is there. */
  const runOther = async (): Promise<void> => {
    const { consumer: other, events } = bench.open({ name: "other", prefetch: 0, batchSize: 1 });
    const running = other.run((batch) => {
      note("other", batch);
      batch.ack();
    });
    ends.push(
      () => other.close(),
      () => running,
    );
    await until(() => events.all("started").length > 0);
    await clock.advance(HEARTBEAT_MS);
  };
  const close = async (): Promise<void> => {
    const ended = Promise.all([consumer.close(), ...ends.map((end) => end())]);
    await clock.advance(120_000);
    await ended;
  };
  return { ...bench, offers, note, until, offered, run, iterate, runOther, close };
}

type Scene = Awaited<ReturnType<typeof openScene>>;

interface Cause {
  readonly options?: Options;
  /** Messages before the one that is watched. */
  readonly behind?: number;
  /** Brings it about, and waits until the message is offered again. Resolves with when the cause was there. */
  readonly bringAbout: (scene: Scene) => Promise<number>;
  /** How long after the cause it is offered again at the earliest, and at the latest, in milliseconds. */
  readonly withinMs: readonly [number, number];
  readonly to: Offer["by"];
}

const ack = (batch: Batch<Fields>): void => batch.ack();
const never = (): Promise<void> => new Promise(() => {});
const fail = (): never => {
  throw new Error("it does not work");
};

/** What happens to the first of two messages in a batch of `run`. */
const inRun =
  (step: (batch: Batch<Fields>) => unknown) =>
  async ({ add, run, offers, offered }: Scene): Promise<number> => {
    await add(1);
    run(step, ack);
    await offered(2);
    return offers[0]?.atMs ?? Number.NaN;
  };

const AFTER_THE_DELAY = { withinMs: [DELAY_MS, DELAY_MS + MAX_WAIT_MS], to: "me" } as const;
const AT_ONCE = { withinMs: [0, CLAIMED_MS], to: "other" } as const;

const CAUSES: Readonly<Record<string, Cause>> = {
  "the handler throws": { bringAbout: inRun(fail), ...AFTER_THE_DELAY },
  "`retry()`": {
    bringAbout: inRun((batch) => {
      batch.messages[0]?.retry();
      batch.ack();
    }),
    ...AFTER_THE_DELAY,
  },
  "`retry({ delayMs })`": {
    bringAbout: inRun((batch) => {
      batch.messages[0]?.retry({ delayMs: 600_000 });
      batch.ack();
    }),
    ...{ withinMs: [600_000, 600_000 + CLAIMED_MS + MAX_WAIT_MS], to: "me" },
  },
  "the batch ends, and another message has an outcome, but this one has none": {
    bringAbout: inRun((batch) => batch.messages[1]?.ack()),
    ...AFTER_THE_DELAY,
  },
  "the handler of `run` returns, and no message has an outcome": {
    bringAbout: inRun(() => {}),
    ...AFTER_THE_DELAY,
  },
  "the body of `for await` ends, and the message has no outcome": {
    bringAbout: async ({ iterate, offers, offered }) => {
      iterate();
      await offered(2);
      return offers[0]?.atMs ?? Number.NaN;
    },
    ...AFTER_THE_DELAY,
  },
  "`fetch()` is called again, and the message has no outcome": {
    bringAbout: async ({ clock, fetch, note, offers }) => {
      note("me", await fetch());
      const againAtMs = clock.nowMs();
      while (offers.length < 2) note("me", await fetch());
      return againAtMs;
    },
    // Without new messages.
    ...{ withinMs: [BASE_MS, BASE_MS + MAX_WAIT_MS], to: "me" },
  },
  "the sink is down: everything fails, and the consumer backs off": {
    options: { batchSize: 1 },
    bringAbout: async ({ add, run, events, offers, until, offered }) => {
      for (let n = 1; n < 5; n++) await add(n);
      run(fail);
      await until(() => events.all("backingOff").length > 0);
      // The first one after that, and the one after it.
      await offered(offers.length + 1);
      const { atMs } = offers.at(-1) ?? { atMs: Number.NaN };
      await offered(offers.length + 1);
      return atMs;
    },
    ...{ withinMs: [DELAY_MS, DAY_MS], to: "me" },
  },
  "the process crashes, or is frozen for longer than its lease": {
    bringAbout: async ({ clock, dieHolding, other, stream, group, offers, runOther, offered }) => {
      await dieHolding("gone", 1);
      const heartbeat = () =>
        other.heartbeat({
          ...{ stream, group, consumer: "gone", incarnation: "1", leaseMs: LEASE_MS, join: undefined },
          details: { batchSize: 1 },
        });
      await heartbeat();
      await runOther();
      // A new consumer calls no other one dead before its own first lease has passed.
      for (let heartbeats = 0; heartbeats < 20; heartbeats++) {
        await heartbeat();
        await clock.advance(HEARTBEAT_MS);
      }
      const diedAtMs = clock.nowMs() - HEARTBEAT_MS;
      offers.push({ by: "me", atMs: diedAtMs, deliveries: 1 });
      await offered(2);
      return diedAtMs;
    },
    ...{ withinMs: [LEASE_MS, LEASE_MS + HEARTBEAT_MS + CLAIMED_MS], to: "other" },
  },
  "`close()`, and no batch has had the message yet": {
    options: { batchSize: 5, maxWaitMs: 60_000 },
    bringAbout: async ({ clock, consumer, run, runOther, events, until, offered, offers }) => {
      run(ack);
      await until(() => events.all("read").length > 0);
      await runOther();
      offers.push({ by: "me", atMs: clock.nowMs(), deliveries: 1 });
      void consumer.close();
      await offered(2);
      return offers[0]?.atMs ?? Number.NaN;
    },
    ...AT_ONCE,
  },
  "`close()`, and the message has no outcome": {
    bringAbout: async ({ clock, consumer, fetch, note, runOther, offered }) => {
      note("me", await fetch());
      await runOther();
      const closedAtMs = clock.nowMs();
      void consumer.close();
      await offered(2);
      return closedAtMs;
    },
    ...AT_ONCE,
  },
  "`close()`, and the message waits for its time": {
    bringAbout: async ({ consumer, run, runOther, offered, offers }) => {
      run((batch) => batch.messages[0]?.retry({ delayMs: 600_000 }));
      await offered(1);
      await runOther();
      void consumer.close();
      await offered(2);
      return offers[0]?.atMs ?? Number.NaN;
    },
    ...{ withinMs: [600_000, 600_000 + CLAIMED_MS + MAX_WAIT_MS], to: "other" },
  },
  "`pause()`, and no batch has had the message yet": {
    options: { batchSize: 5, maxWaitMs: 60_000 },
    bringAbout: async ({ clock, consumer, run, runOther, events, until, offered, offers }) => {
      run(ack);
      await until(() => events.all("read").length > 0);
      await runOther();
      offers.push({ by: "me", atMs: clock.nowMs(), deliveries: 1 });
      consumer.pause();
      await offered(2);
      return offers[0]?.atMs ?? Number.NaN;
    },
    ...AT_ONCE,
  },
  "the message was read ahead, and no place is free here within `maxWaitMs` (1 s at least)": {
    options: { batchSize: 1, prefetch: 1, maxWaitMs: 20_000 },
    behind: 1,
    bringAbout: async ({ clock, consumer, run, runOther, until, offered, offers }) => {
      run(never);
      await until(() => consumer.health().buffered === 1);
      offers.push({ by: "me", atMs: clock.nowMs(), deliveries: 1 });
      await runOther();
      await offered(2);
      return offers[0]?.atMs ?? Number.NaN;
    },
    ...{ withinMs: [20_000, 21_000 + CLAIMED_MS], to: "other" },
  },
  "the handler hangs for longer than `maxHoldMs`": {
    options: { maxHoldMs: 60_000 },
    bringAbout: async ({ run, runOther, offered, offers }) => {
      run(never);
      await offered(1);
      await runOther();
      await offered(2);
      return (offers[0]?.atMs ?? Number.NaN) + 60_000;
    },
    ...{ withinMs: [0, 1_000 + CLAIMED_MS], to: "other" },
  },
  "the message has failed `maxDeliveries` times, and another consumer is alive": {
    options: { maxDeliveries: 2 },
    bringAbout: async ({ clock, run, runOther, offered, offers }) => {
      const known = deferred<void>();
      run(() => known.promise.then(fail), fail);
      await offered(1);
      await runOther();
      // Each of them has to know the other.
      await clock.advance(CONSUMER_DEFAULTS.recoverEveryMs * 2);
      known.resolve();
      await offered(3);
      return offers[1]?.atMs ?? Number.NaN;
    },
    ...AT_ONCE,
  },
};

describe("is right about each cause", () => {
  it("and of no other", () => {
    const [, , ...rows] = causes;
    expect(Object.keys(CAUSES)).toEqual(rows.map(([cause]) => cause));
  });

  it.each(Object.entries(CAUSES))("%s", async (cause, { options, behind, bringAbout, withinMs, to }) => {
    const scene = await openScene(options, behind);
    const atMs = await bringAbout(scene);
    const [before, again] = scene.offers.slice(-2);
    expect(again?.by).toBe(to);
    const waitedMs = (again?.atMs ?? Number.NaN) - atMs;
    expect(waitedMs).toBeGreaterThanOrEqual(withinMs[0]);
    expect(waitedMs).toBeLessThanOrEqual(withinMs[1]);
    const counted = (again?.deliveries ?? Number.NaN) - (before?.deliveries ?? Number.NaN);
    const said = causes.find(([row]) => row === cause)?.at(-1);
    expect([said, counted]).toEqual([said, said === "no" ? 0 : 1]);
    await scene.close();
  });
});
