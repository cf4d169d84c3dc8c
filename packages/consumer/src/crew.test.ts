/**
 * A group of consumers whose processes die and are replaced, whose replies get lost and whose server forgets all: whatever
 * has happened, once it is over nothing may stay in flight for longer than the rules say.
 */
import { ConnectionError } from "@redis-batch/core";
import { groupKey } from "@redis-batch/core/internal/names";
import { addEntry, ManualClock, seededRandom } from "@redis-batch/test-support";
import { createMemoryServer } from "@redis-batch/testing/internal";
import { describe, expect, it } from "vitest";
import { LivingCrew } from "../test/living-crew.ts";
import type { Batch } from "./batch.ts";
import { Consumer } from "./consumer.ts";

const stream = "orders";
const group = "billing";
const leaseMs = 2_000;
const options = {
  batchSize: 50,
  concurrency: 2,
  maxWaitMs: 50,
  blockMs: 300,
  maxDeliveries: 8,
  maxOutageMs: 10_000,
  leaseMs,
  recoverEveryMs: 500,
  retry: { baseMs: 20, capMs: 500 },
  connectTimeoutMs: 300_000,
};
const TROUBLE_MS = 20_000;
// An outage, a delay for each delivery of the poison there is, and a few deaths: far less than foreignIdleMs.
const REST_LIMIT_MS = 60_000;
const START_MS = 700;
const FAILING = [
  "redeliverOwn",
  "ackOwned",
  "xack",
  "renewOwned",
  "heartbeat",
  "release",
  "moveToDeadLetters",
  "handOver",
] as const;

type Consumed = Batch<Readonly<Record<string, string>>>;

class Crew {
  readonly clock = new ManualClock();
  readonly redis = createMemoryServer({ clock: this.clock });
  readonly client = this.redis.client();
  readonly #random: ReturnType<typeof seededRandom>;
  readonly #kills: ((keepsName: boolean) => void)[] = [];
  #isSinkDown = false;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  async start(places: number): Promise<void> {
    await this.client.connect(["commands"], { timeoutMs: 1_000 });
    for (let place = 0; place < places; place++) this.#startProcess(place, `${place}.1`);
  }

  /** Adds messages, and lets one thing after the other go wrong. */
  async sufferFor(ms: number): Promise<void> {
    const endsAtMs = this.clock.nowMs() + ms;
    while (this.clock.nowMs() < endsAtMs) {
      for (let more = this.#random.integer(12); more > 0; more--) await this.#add();
      this.#strike();
      await this.clock.advance(this.#random.integer(400));
    }
    this.#isSinkDown = false;
  }

  /** Resolves with how long it took until nothing was in flight; infinite: something is for longer. */
  async rest(limitMs: number): Promise<number> {
    const startedAtMs = this.clock.nowMs();
    while (this.clock.nowMs() - startedAtMs < limitMs) {
      await this.clock.advance(250);
      const [info] = await this.client.xinfoGroups({ stream }).catch(() => []);
      if (info === undefined || info.pending > 0) continue;
      const from = `(${info.lastDeliveredId}`;
      if ((await this.client.xrange({ stream, from, to: "+", count: 1 })).length === 0) {
        return this.clock.nowMs() - startedAtMs;
      }
    }
    return Number.POSITIVE_INFINITY;
  }

  async #add(): Promise<void> {
    const drawn = this.#random.next();
    const intent = drawn < 0.02 ? "poison" : drawn < 0.025 ? "kill" : drawn < 0.05 ? "throw" : "ack";
    await addEntry(this.client, { stream, fields: ["intent", intent] });
  }

  #strike(): void {
    const random = this.#random;
    const moment = random.next() < 0.5 ? "before" : "after";
    const drawn = random.next();
    if (drawn < 0.3) {
      const lost = new ConnectionError("the reply was lost", { outcome: "unknown" });
      this.redis.failNext(random.pick(FAILING), lost, { moment, times: 1 + random.integer(4) });
    } else if (drawn < 0.4) {
      this.redis.drop("reader");
    } else if (drawn < 0.5) {
      this.#kills[random.integer(this.#kills.length)]?.(random.next() < 0.5);
    } else if (drawn < 0.63) {
      const held = this.redis.hold(random.pick(FAILING), { moment });
      this.clock.setTimer(random.integer(1.7 * leaseMs), () => held.release());
    } else if (drawn < 0.66) {
      for (const key of [stream, groupKey("consumers", stream, group)]) this.redis.keys.delete(key);
    } else if (drawn < 0.7) {
      this.#isSinkDown = true;
      this.clock.setTimer(random.integer(leaseMs), () => {
        this.#isSinkDown = false;
      });
    }
  }

  /** A process is dead when its connections are: whatever it goes on to do in memory reaches nobody. */
  #startProcess(place: number, name: string): void {
    let cutOff = (): void => {};
    let isDead = false;
    const die = (keepsName: boolean): void => {
      if (isDead) return;
      isDead = true;
      cutOff();
      const next = keepsName ? name : `${place}.${Number(name.split(".")[1]) + 1}`;
      this.clock.setTimer(START_MS, () => this.#startProcess(place, next));
    };
    this.#kills[place] = die;
    const consumer = new Consumer(
      { redis: "redis://memory", stream, group, name, ...options, observer() {} },
      {
        clock: this.clock,
        random: () => this.#random.next(),
        createClient: ({ report }) => {
          const client = this.redis.client(report === undefined ? {} : { report });
          cutOff = () => void client.close();
          return client;
        },
      },
    );
    // It rejects when the name is taken; a process manager starts another.
    consumer.run((batch) => this.#handle(batch, () => die(true))).catch(() => die(true));
  }

  async #handle(batch: Consumed, die: () => void): Promise<void> {
    await new Promise<void>((resolve) => this.clock.setTimer(10, resolve));
    if (this.#isSinkDown) throw new Error("the sink is down");
    for (const message of batch) {
      const { intent } = message.fields;
      const isFirst = message.deliveries === 1;
      if (intent === "poison" || (intent === "throw" && isFirst)) throw new Error("it was made to fail");
      if (intent === "kill" && isFirst) {
        die();
        return new Promise(() => {});
      }
      message.ack();
    }
  }
}

// In those above 10 a process died of what it had read under a name that the server had forgotten.
it.each([1, 2, 4, 5, 19, 35, 42, 112, 114, 120, 139])(
  "comes to rest after trouble of every kind (seed %i)",
  async (seed) => {
    const crew = new Crew(seed);
    await crew.start(3);
    await crew.sufferFor(TROUBLE_MS);
    expect(await crew.rest(REST_LIMIT_MS)).toBeLessThan(REST_LIMIT_MS);
  },
);

/** `CREW_SEEDS=1-500` runs more of them by hand. */
function seedsOf(range: string): number[] {
  const [first = 1, last = first] = range.split("-").map(Number);
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

describe("a crew with handlers that hang, broken processes, deaths, replacements and a clock that jumps", () => {
  it.each(seedsOf(process.env["CREW_SEEDS"] ?? "1-40"))(
    "lets no message wait longer than the rules say while somebody healthy has a place free (seed %i)",
    async (seed) => {
      const { overdue, hungTooOften, restMs } = await new LivingCrew(seed).live(12_000, 120_000);
      expect(overdue).toEqual([]);
      expect(hungTooOften).toBe(0);
      expect(restMs).toBeLessThan(120_000);
    },
  );

  it.each(seedsOf(process.env["CREW_SEEDS"] ?? "1-15"))(
    "nor of several streams that share the places (seed %i)",
    async (seed) => {
      const { overdue, hungTooOften, restMs } = await new LivingCrew(seed, 3).live(12_000, 120_000);
      expect(overdue).toEqual([]);
      expect(hungTooOften).toBe(0);
      expect(restMs).toBeLessThan(120_000);
    },
  );
});
