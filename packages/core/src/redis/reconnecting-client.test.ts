import { ManualClock } from "@redis-batch/test-support";
import { AbstractConnector, Cluster, Redis } from "ioredis";
import { AbstractConnector as AbstractConnectorV5, Cluster as ClusterV5, Redis as RedisV5 } from "ioredis-v5";
import { afterEach, describe, expect, test } from "vitest";
import { type LentClient, openClient, type ServerSource } from "./open-client.ts";
import { OPENING_SILENCE_MS, ReconnectingClient } from "./reconnecting-client.ts";

/** Connects to nothing: each attempt stays without an answer, until it is told to fail. */
const attempts: { fail(error: Error): void }[] = [];

function attempt(): Promise<never> {
  return new Promise((_, reject) => {
    attempts.push({ fail: reject });
  });
}

class NoConnector extends AbstractConnector {
  constructor() {
    super(0);
  }

  override connect(): Promise<never> {
    return attempt();
  }
}

class NoConnectorV5 extends AbstractConnectorV5 {
  constructor() {
    super(0);
  }

  override connect(): Promise<never> {
    return attempt();
  }
}

const lent = (): Redis => new Redis({ Connector: NoConnector, lazyConnect: true });
const lentV5 = (): RedisV5 => new RedisV5({ Connector: NoConnectorV5, lazyConnect: true });

const sources: readonly (readonly [string, () => ServerSource])[] = [
  ["options", () => ({ Connector: NoConnector })],
  ["a lent client of ioredis 6", lent],
  ["a lent client of ioredis 5", lentV5],
];

interface Trial {
  readonly life: ReconnectingClient;
  readonly clock: ManualClock;
  readonly made: (Redis | Cluster)[];
  readonly errors: unknown[];
}

const lives: ReconnectingClient[] = [];

function begin(source: ServerSource, create = openClient): Trial {
  const clock = new ManualClock();
  const made: (Redis | Cluster)[] = [];
  const errors: unknown[] = [];
  const life = new ReconnectingClient({
    create: () => {
      const client = create(source, { role: "commands", blockMs: 0 });
      made.push(client as Redis | Cluster);
      return client;
    },
    ...{ clock, random: () => 1 },
    ...{ onReady: () => {}, onDown: () => {}, onError: (error: unknown) => errors.push(error) },
  });
  lives.push(life);
  return { life, clock, made, errors };
}

afterEach(() => {
  for (const life of lives.splice(0)) life.close();
  attempts.length = 0;
});

describe.each(sources)("over %s", (_, source) => {
  test("a client that ends is replaced by a fresh one, which connects", async () => {
    const { life, clock, made } = begin(source());
    life.open();
    await clock.settle();
    attempts[0]?.fail(new Error("Connection is closed."));
    await clock.settle();
    expect(made[0]?.status).toBe("end");
    await clock.advance(50);
    expect(made).toHaveLength(2);
    expect(life.current).toBe(made[1]);
    expect(life.current.status).toBe("connecting");
  });

  test("clients that end one after another are replaced at growing intervals, for ever", async () => {
    const { life, clock, made } = begin(source());
    life.open();
    const intervals: number[] = [];
    for (let round = 0; round < 10; round++) {
      await clock.settle();
      attempts.at(-1)?.fail(new Error("Connection is closed."));
      const passedMs = await clock.advanceToNext();
      intervals.push(passedMs ?? 0);
    }
    expect(made).toHaveLength(11);
    expect(intervals).toEqual([50, 100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000, 2_000]);
  });

  test("a client that is told to disconnect by somebody else is replaced", async () => {
    const { life, clock, made } = begin(source());
    life.open();
    await clock.settle();
    made[0]?.disconnect();
    attempts[0]?.fail(new Error("Connection is closed."));
    await clock.advance(50);
    expect(life.current).toBe(made[1]);
    expect(life.current.status).toBe("connecting");
  });

  test("a client that has ended before it was opened is replaced, and connects", async () => {
    const { life, clock, made } = begin(source());
    made[0]?.disconnect();
    await clock.advance(50);
    expect(life.current).toBe(made[1]);
    expect(life.current.status).toBe("connecting");
  });

  test("a client that says nothing while it connects is replaced", async () => {
    const { life, clock, made, errors } = begin(source());
    life.open();
    await clock.advance(OPENING_SILENCE_MS - 1);
    expect(made).toHaveLength(1);
    await clock.advance(1 + 50);
    expect(life.current).toBe(made[1]);
    expect(life.current.status).toBe("connecting");
    expect(errors).toEqual([
      expect.objectContaining({ message: 'connecting made no progress for 30000 ms (ioredis status "connecting")' }),
    ]);
  });

  test("what a replaced client says later changes nothing", async () => {
    const { life, clock, made, errors } = begin(source());
    life.open();
    await clock.advance(OPENING_SILENCE_MS + 50);
    attempts[0]?.fail(new Error("too late"));
    made[0]?.emit("ready");
    made[0]?.emit("end");
    await clock.advance(1_000);
    expect(made).toHaveLength(2);
    expect(errors).toHaveLength(1);
    expect(life.isUsable).toBe(false);
  });

  test("after close nothing is made any more, and no timer is left", async () => {
    const { life, clock, made } = begin(source());
    life.open();
    await clock.settle();
    attempts[0]?.fail(new Error("Connection is closed."));
    await clock.settle();
    life.close();
    await clock.advance(60_000);
    expect(made).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});

test("a fresh client that cannot be made is tried again, and says why", async () => {
  let isBroken = false;
  const { life, clock, made, errors } = begin(lent(), (source, options) => {
    if (isBroken) throw new Error("not now");
    return openClient(source, options);
  });
  life.open();
  await clock.settle();
  isBroken = true;
  attempts[0]?.fail(new Error("Connection is closed."));
  await clock.advance(50 + 100 + 200);
  expect(made).toHaveLength(1);
  expect(errors.map(String)).toEqual([
    "Error: Connection is closed.",
    "Error: not now",
    "Error: not now",
    "Error: not now",
  ]);
  isBroken = false;
  await clock.advance(400);
  expect(life.current).toBe(made[1]);
});

test("a longer connectTimeout of the user's is waited for", async () => {
  const { life, clock, made } = begin({ Connector: NoConnector, connectTimeout: 60_000 });
  life.open();
  await clock.advance(119_999);
  expect(made).toHaveLength(1);
});

describe.each<readonly [string, () => LentClient]>([
  ["ioredis 6", () => new Cluster([], { lazyConnect: true })],
  ["ioredis 5", () => new ClusterV5([], { lazyConnect: true })],
])("a Cluster of %s", (_, lend) => {
  test("that ends is replaced", async () => {
    const { life, clock, made } = begin(lend());
    life.open();
    made[0]?.emit("end");
    await clock.advance(50);
    expect(life.current).toBe(made[1]);
  });

  test("that says nothing is replaced", async () => {
    const { life, clock, made } = begin(lend());
    life.open();
    await clock.settle();
    // Without a node of which it could lose the connection, a Cluster that disconnects never gets any further.
    made[0]?.disconnect(true);
    await clock.advance(OPENING_SILENCE_MS + 50);
    expect(life.current).not.toBe(made[0]);
  });
});
