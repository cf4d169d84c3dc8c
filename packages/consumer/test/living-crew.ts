/**
 * A group of consumers on a Redis in memory whose handlers hang, whose processes break, die and are replaced, and whose
 * server's clock jumps; with a ledger that measures for every message how long somebody healthy with a free place could
 * have worked on it, and did not.
 */
import { ConnectionError, compareEntryIds, type EntryId } from "@redis-batch/core";
import { groupKey, LATER, RELEASED } from "@redis-batch/core/internal/names";
import { addEntry, ManualClock, seededRandom } from "@redis-batch/test-support";
import { createMemoryServer } from "@redis-batch/testing/internal";
import type { Batch } from "../src/batch.ts";
import { Consumer } from "../src/consumer.ts";
import { firstIsolated } from "../src/decisions/isolation.ts";

const STREAMS = ["orders", "refunds", "mails"];
const group = "billing";
const leaseMs = 2_000;
const heartbeatMs = Math.floor(leaseMs / 3);
const maxWaitMs = 50;
const maxDeliveries = 8;
const recoverEveryMs = 500;
const options = {
  ...{ batchSize: 10, maxWaitMs, blockMs: 300, maxDeliveries, leaseMs, recoverEveryMs },
  ...{ drainMs: 1_000, connectTimeoutMs: 300_000, retry: { baseMs: 20, capMs: 500 } },
};

// How often the ledger looks, and so how much later than it happened it sees anything.
const LOOK_MS = 50;
const START_MS = 500;
const CLAIM_MS = 2_000;
// A process has what it needs to judge others a lease after its start.
const SETTLED_MS = leaseMs + 1_000;
/** How long a message may wait, by where it is, while somebody healthy has a place free. */
const BOUND_MS = {
  new: maxWaitMs + 500,
  // Another one is waited for a lease, where it failed before.
  released: maxWaitMs + CLAIM_MS + leaseMs,
  // Deferred in memory for half a lease, then read ahead for a second, until a look, the next heartbeat, and somebody's look.
  held: leaseMs / 2 + 1_000 + 1_000 + heartbeatMs + CLAIM_MS + leaseMs + maxWaitMs,
  orphaned: leaseMs + 3 * heartbeatMs + 2 * recoverEveryMs + heartbeatMs + maxWaitMs + CLAIM_MS,
} as const;
type Place = keyof typeof BOUND_MS;

/** A message by stream and id. */
type Key = string;
const keyOf = (stream: string, id: EntryId): Key => `${stream} ${id}`;
const keyOfMessage = ({ stream, id }: { readonly stream: string; readonly id: EntryId }): Key => keyOf(stream, id);

type Consumed = Batch<Readonly<Record<string, string>>>;
type Random = ReturnType<typeof seededRandom>;

interface Process {
  readonly name: string;
  readonly consumer: Consumer;
  readonly startedAtMs: number;
  /** Every batch that goes into its handlers fails. */
  isBroken: boolean;
  isDead: boolean;
  isClosing: boolean;
  /** What its handlers are at, a hanging one for ever. */
  readonly atWork: Set<Consumed>;
  readonly die: () => void;
  readonly replace: () => void;
}

/** A message that waits although it could be worked on. */
interface Wait {
  readonly sinceMs: number;
  boundMs: number;
  places: readonly Place[];
}

/** What of a message waited too long. */
export interface Overdue {
  readonly key: Key;
  readonly intent: string;
  readonly waitedMs: number;
  readonly boundMs: number;
  readonly places: readonly Place[];
  readonly atMs: number;
}

export interface LivingReport {
  readonly overdue: readonly Overdue[];
  /** The longest wait of any message by where it was first, in milliseconds. */
  readonly longestMs: Readonly<Record<Place, number>>;
  readonly added: number;
  readonly acknowledged: number;
  /** How many messages hung more than two handlers. */
  readonly hungTooOften: number;
  /** How long it took until nothing was left; infinite: something was left. */
  readonly restMs: number;
}

export class LivingCrew {
  readonly clock = new ManualClock();
  readonly #redis = createMemoryServer({ clock: this.clock });
  readonly #client = this.#redis.client();
  readonly #random: Random;
  readonly #hold: { readonly concurrency: number; readonly maxHoldMs: number };
  readonly #processes: Process[] = [];
  readonly #streams: readonly string[];
  readonly #waits = new Map<Key, Wait>();
  readonly #intents = new Map<Key, string>();
  readonly #hangs = new Map<Key, number>();
  readonly #seenHanging = new Map<Key, number>();
  readonly #acknowledged = new Set<Key>();
  readonly #overdue: Overdue[] = [];
  readonly #longestMs: Record<Place, number> = { new: 0, released: 0, held: 0, orphaned: 0 };
  /** Until then a fault of the server itself keeps everybody waiting. */
  #disturbedUntilMs = 0;
  #sequence = 0;
  #isOver = false;

  constructor(seed: number, streams = 1) {
    this.#random = seededRandom(seed);
    this.#streams = STREAMS.slice(0, streams);
    // In some, one handler that hangs is all there is, and it hangs for longer than anything may wait.
    this.#hold = seed % 3 === 0 ? { concurrency: 1, maxHoldMs: 12_000 } : { concurrency: 2, maxHoldMs: 3_000 };
  }

  async live(troubleMs: number, restLimitMs: number): Promise<LivingReport> {
    await this.#client.connect(["commands"], { timeoutMs: 1_000 });
    for (let place = 0; place < 3; place++) this.#startProcess(place);
    const endsAtMs = this.clock.nowMs() + troubleMs;
    while (this.clock.nowMs() < endsAtMs) {
      for (let more = this.#random.integer(6); more > 0; more--) await this.#add();
      this.#strike();
      await this.#pass(this.#random.integer(300));
    }
    this.#isOver = true;
    for (const process of this.#processes) {
      process.isBroken = false;
      process.consumer.resume();
    }
    const restMs = await this.#rest(restLimitMs);
    const hungTooOften = [...this.#seenHanging.values()].filter((hangs) => hangs > 2).length;
    const [added, acknowledged] = [this.#intents.size, this.#acknowledged.size];
    return { overdue: this.#overdue, longestMs: this.#longestMs, added, acknowledged, hungTooOften, restMs };
  }

  async #rest(limitMs: number): Promise<number> {
    const startedAtMs = this.clock.nowMs();
    while (this.clock.nowMs() - startedAtMs < limitMs) {
      await this.#pass(250);
      const groups = this.#streams.map((stream) => this.#redis.keys.group({ stream, group }));
      if (groups.every(({ pendingCount, lag }) => pendingCount === 0 && lag === 0)) {
        return this.clock.nowMs() - startedAtMs;
      }
    }
    return Number.POSITIVE_INFINITY;
  }

  async #pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= LOOK_MS) {
      await this.clock.advance(Math.min(left, LOOK_MS));
      this.#look();
    }
  }

  async #add(): Promise<void> {
    const drawn = this.#random.next();
    const intents = [
      ...([
        ["poison", 0.01],
        ["kill", 0.004],
        ["hang", 0.004],
        ["hang-once", 0.004],
        ["throw", 0.03],
      ] as const),
      ...([
        ["later", 0.03],
        ["slow", 0.05],
      ] as const),
    ];
    let upTo = 0;
    const intent = intents.find(([, share]) => drawn < (upTo += share))?.[0] ?? "ack";
    const stream = this.#streams.length === 1 ? "orders" : this.#random.pick(this.#streams);
    const id = await addEntry(this.#client, { stream, fields: ["intent", intent] });
    this.#intents.set(keyOf(stream, id), intent);
  }

  #strike(): void {
    const random = this.#random;
    const drawn = random.next();
    const process = random.pick(this.#processes);
    if (drawn < 0.03) process.die();
    else if (drawn < 0.06) process.replace();
    // Never all of them: then nobody is healthy, and nothing is owed.
    else if (drawn < 0.09) process.isBroken = !process.isBroken;
    else if (drawn < 0.11) this.#redis.jumpClock(random.integer(20_000) - 10_000);
    else if (drawn < 0.13) this.#pause(process);
    else if (drawn < 0.15) this.#disturb();
  }

  #pause(process: Process): void {
    process.consumer.pause();
    this.clock.setTimer(this.#random.integer(3_000), () => process.consumer.resume());
  }

  /** A command fails once or twice; its sender tries again after a while. */
  #disturb(): void {
    const lost = new ConnectionError("the reply was lost", { outcome: "unknown" });
    const moment = this.#random.next() < 0.5 ? "before" : "after";
    const method = this.#random.pick([
      "redeliverOwn",
      "ackOwned",
      "xack",
      "release",
      "take",
      "scheduleLater",
      "readDue",
    ] as const);
    this.#redis.failNext(method, lost, { moment, times: 1 + this.#random.integer(2) });
    this.#disturbedUntilMs = this.clock.nowMs() + 2 * leaseMs;
  }

  // ── processes ────────────────────────────────────────────────────────────────────────────────────────────────────

  #startProcess(place: number): void {
    const name = `${place}.${++this.#sequence}`;
    let cutOff = (): void => {};
    const consumer = new Consumer(
      { redis: "redis://memory", streams: this.#streams, group, name, ...options, ...this.#hold, observer: () => {} },
      {
        clock: this.clock,
        random: () => this.#random.next(),
        createClient: ({ report }) => {
          const client = this.#redis.client(report === undefined ? {} : { report });
          cutOff = () => void client.close();
          return client;
        },
      },
    );
    const end = (): void => {
      process.isDead = true;
      this.clock.setTimer(START_MS, () => this.#startProcess(place));
    };
    const process: Process = {
      ...{
        name,
        consumer,
        startedAtMs: this.clock.nowMs(),
        isDead: false,
        isClosing: false,
        atWork: new Set<Consumed>(),
      },
      isBroken: !this.#isOver && this.#random.next() < 0.1,
      die: () => {
        if (process.isDead) return;
        // Dead is who has no connections: whatever it goes on to do in memory reaches nobody.
        cutOff();
        end();
      },
      replace: () => {
        if (process.isDead || process.isClosing) return;
        process.isClosing = true;
        void consumer.close().then(() => (process.isDead ? undefined : end()));
      },
    };
    this.#processes[place] = process;
    consumer.run((batch) => this.#handle(batch, process)).catch(() => process.die());
  }

  async #handle(batch: Consumed, process: Process): Promise<void> {
    process.atWork.add(batch);
    // One that hangs stays at work.
    await this.#workOn(batch, process).finally(() => process.atWork.delete(batch));
  }

  async #workOn(batch: Consumed, process: Process): Promise<void> {
    const isSlow = batch.messages.some(({ fields }) => fields["intent"] === "slow");
    await new Promise<void>((resolve) => this.clock.setTimer(isSlow ? 400 : 10, resolve));
    if (process.isBroken) throw new Error("this process is broken");
    for (const message of batch) {
      const intent = message.fields["intent"];
      const isFirst = message.deliveries === 1;
      if (intent === "poison" || (intent === "throw" && isFirst)) throw new Error("it was made to fail");
      if (intent === "kill" && isFirst) {
        process.die();
        return new Promise(() => {});
      }
      const key = keyOfMessage(message);
      const hangs = this.#hangs.get(key) ?? 0;
      if (intent === "hang" || (intent === "hang-once" && hangs === 0)) {
        this.#hangs.set(key, hangs + 1);
        // Each tenth of it the consumer looks.
        this.clock.setTimer(1.1 * this.#hold.maxHoldMs + 2 * LOOK_MS, () => this.#hasHung(key, process));
        return new Promise(() => {});
      }
      if (intent === "later" && isFirst) message.retry({ delayMs: 1_500 + this.#random.integer(3_000) });
      else {
        message.ack();
        if (!process.isDead) this.#acknowledged.add(key);
      }
    }
  }

  /** Who dies or leaves before its time is over has not been seen to hang. */
  #hasHung(key: Key, { isDead, isClosing }: Process): void {
    if (!isDead && !isClosing) this.#seenHanging.set(key, (this.#seenHanging.get(key) ?? 0) + 1);
  }

  // ── the ledger ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Whether a process could take something of the stream now: it works, is connected, and has a place free. */
  #isFree(stream: string, { consumer, isBroken, isDead, isClosing, startedAtMs, atWork }: Process): boolean {
    if (isBroken || isDead || isClosing || this.clock.nowMs() - startedAtMs < SETTLED_MS) return false;
    const { state, streams } = consumer.health();
    const health = streams.find((one) => one.stream === stream);
    const reads = health?.isAtWork === true && health.intake === "open";
    return state === "running" && reads && atWork.size < this.#hold.concurrency;
  }

  #look(): void {
    const nowMs = this.clock.nowMs();
    for (const one of this.#processes) if (!one.isDead && !one.consumer.health().live) one.die();
    const isDisturbed = nowMs < this.#disturbedUntilMs;
    const owed = this.#streams.filter((stream) => this.#processes.some((one) => this.#isFree(stream, one)));
    const waiting = new Map(isDisturbed ? [] : owed.flatMap((stream) => [...this.#whatWaits(stream)]));
    for (const key of this.#waits.keys()) if (!waiting.has(key)) this.#waits.delete(key);
    for (const [key, place] of waiting) {
      const wait = this.#waits.get(key) ?? { sinceMs: nowMs, boundMs: 0, places: [] };
      this.#waits.set(key, wait);
      if (wait.places.at(-1) !== place) wait.places = [...wait.places, place];
      wait.boundMs = Math.max(wait.boundMs, BOUND_MS[place]);
      const waitedMs = nowMs - wait.sinceMs;
      const first = wait.places[0] ?? place;
      this.#longestMs[first] = Math.max(this.#longestMs[first], waitedMs);
      if (waitedMs <= wait.boundMs + 2 * LOOK_MS || this.#overdue.some((one) => one.key === key)) continue;
      const { boundMs, places } = wait;
      this.#overdue.push({ key, intent: this.#intents.get(key) ?? "", waitedMs, boundMs, places, atMs: nowMs });
    }
  }

  /** Every message of the stream that could be worked on and is not, and where it is. */
  #whatWaits(stream: string): ReadonlyMap<Key, Place> {
    const { keys } = this.#redis;
    const serverNowMs = keys.nowMs();
    const waiting = new Map<Key, Place>();
    const pendingGroup = keys.group({ stream, group });
    for (const { id } of keys.existingStream(stream).range(`(${pendingGroup.lastDeliveredId}`, "+", 100_000))
      waiting.set(keyOf(stream, id), "new");
    const due = keys.sortedSet(groupKey("due", stream, group));
    const hung = keys.sortedSet(groupKey("hung", stream, group));
    const alive = this.#processes.filter(({ isDead }) => !isDead);
    const atWork = new Set(
      alive.flatMap((process) => [...process.atWork].flatMap((batch) => batch.messages.map(keyOfMessage))),
    );
    const pending = pendingGroup.pending(serverNowMs);
    const isSuspect = (id: EntryId, deliveries: number): boolean =>
      deliveries + 1 >= firstIsolated(maxDeliveries) || hung.has(id);
    const suspects = pending.filter(({ id, deliveries }) => isSuspect(id, deliveries)).map(({ id }) => id);
    const [firstSuspect] = suspects.toSorted(compareEntryIds);
    for (const { id, consumer, deliveries } of pending) {
      const key = keyOf(stream, id);
      if (atWork.has(key)) continue;
      // Suspects wait for each other, in no certain order: only the last of them is judged.
      if (isSuspect(id, deliveries) && (suspects.length > 1 || id !== firstSuspect)) continue;
      if (consumer === RELEASED) waiting.set(key, "released");
      else if (consumer !== LATER) waiting.set(key, alive.some(({ name }) => name === consumer) ? "held" : "orphaned");
      else if ((due.get(id) ?? 0) <= serverNowMs) waiting.set(key, "released");
    }
    return waiting;
  }
}
