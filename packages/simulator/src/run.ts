/** One policy on one trace. */

import { addBatch, NO_WORK } from "@redis-batch/core/internal/groups";
import { PriorityQueue } from "@redis-batch/core/internal/service";
import { followStarts, NO_STARTS, type Observation } from "@redis-batch/scaler";
import { lognormal, seededChance } from "./chance.ts";
import {
  createConsumer,
  isFreePlace,
  lateOf,
  type Message,
  nextBatch,
  patienceOf,
  roomOf,
  type SimulatedConsumer,
  slowOf,
} from "./consumer.ts";
import { assignPartitions } from "./ownership.ts";
import type { Policy, PolicyInput, PolicyRun } from "./policy.ts";
import { MessageQueue } from "./queue.ts";
import type { Crash, Scenario } from "./scenario.ts";
import { type Outcome, Tally } from "./tally.ts";
import type { Traffic } from "./traffic.ts";

/** The state of the group when a policy has decided. */
export interface Moment {
  readonly at: number;
  readonly desired: number;
  readonly ready: number;
  readonly waiting: number;
}

/** What happens next, and when, in seconds. */
interface Planned {
  readonly at: number;
  readonly happening: Happening;
}

type Happening =
  | { readonly kind: "ready" | "kill"; readonly consumer: SimulatedConsumer; readonly version: number }
  | { readonly kind: "done"; readonly consumer: SimulatedConsumer; readonly version: number; readonly seconds: number }
  | { readonly kind: "heartbeat" | "check"; readonly consumer: SimulatedConsumer; readonly incarnation: number }
  | { readonly kind: "over"; readonly messages: readonly Message[] }
  | { readonly kind: "crash"; readonly crash: Crash }
  | { readonly kind: "look" | "rebalance" | "pass" | "wake" };

// Two heartbeats may get lost before a consumer counts as silent.
const OVERDUE_HEARTBEATS = 3;
// A consumer looks for messages that were released each second; one of several does so within less.
const LOOK_SECONDS = 0.5;
const LOOKS_FOR_SURPLUS_SECONDS = 1;
// The most of a batch that is delivered again while new messages wait (`retryShare`).
const RETRY_SHARE = 0.5;
// A partition changes its owner when both have seen the other's heartbeat: half of the time between two on average.
const HAND_OVER_HEARTBEATS = 0.5;
// A new consumer must have been there for this long before it gets what others own.
const REBALANCE_GRACE_SECONDS = 3;
// If the server does not know the lag, the scaler counts no further than this.
const COUNTED_AT_MOST = 1_000;
const DRAWN = 4_096;
// Spreads messages over partitions as hashes of their keys do.
const HASH_FACTOR = 2_654_435_761;

// Some ten milliseconds' worth.
const HAPPENINGS_PER_STEP = 20_000;

/** Runs it and returns the result; `watch` sees every pass. */
export function simulate(
  scenario: Scenario,
  traffic: Traffic,
  seed: number,
  policy: Policy,
  watch?: (moment: Moment) => void,
): Outcome {
  const steps = new Run(scenario, traffic, seed, policy, watch).inSteps();
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same bit by bit, for those that have something else to do as well: gives how far it is, in seconds of the trace. */
export function simulateInSteps(
  scenario: Scenario,
  traffic: Traffic,
  seed: number,
  policy: Policy,
  watch: ((moment: Moment) => void) | undefined,
): Generator<number, Outcome, void> {
  return new Run(scenario, traffic, seed, policy, watch).inSteps();
}

class Run implements PolicyInput {
  readonly #scenario: Scenario;
  readonly #traffic: Traffic;
  readonly #policy: Policy;
  readonly #decider: PolicyRun;
  readonly #watch: ((moment: Moment) => void) | undefined;
  readonly #tally: Tally;
  readonly #planned = new PriorityQueue<Planned>((left, right) => left.at < right.at);
  readonly #crashChance: () => number;
  readonly #startDelays: readonly number[];
  readonly #speeds: readonly number[];

  #now = 0;
  #desired = 0;
  #nextId = 0;
  readonly #consumers = new Map<number, SimulatedConsumer>();
  /** Consumers that wait at the server for new messages of the one queue, in the order in which they are served. */
  #readers: SimulatedConsumer[] = [];
  #busy = 0;
  #accountedUntil = 0;
  #starts = NO_STARTS;
  /** Ready consumers at the last look. */
  #readySeen = 0;
  /** Consumers that left since the last pass. */
  readonly #departed: SimulatedConsumer[] = [];

  /** One for all consumers, or one for each partition, which only its owner reads. */
  readonly #queues: readonly MessageQueue[];
  #owners: (SimulatedConsumer | null)[];
  /** Messages that arrived, and that were read. */
  #arrived = 0;
  #read = 0;
  /** Messages of consumers that died, or whose attempt failed, until others may have them. */
  readonly #away = new Set<readonly Message[]>();
  #pending = 0;
  #released = 0;
  readonly #attempts = new Map<number, number>();
  #isLookPlanned = false;
  /** The counters of the stream that was there before. */
  #before = { arrived: 0, read: 0 };
  #isRecreated = false;
  #restarts = 0;

  constructor(
    scenario: Scenario,
    traffic: Traffic,
    seed: number,
    policy: Policy,
    watch: ((moment: Moment) => void) | undefined,
  ) {
    this.#scenario = scenario;
    this.#traffic = traffic;
    this.#policy = policy;
    this.#watch = watch;
    this.#decider = policy.start(scenario, traffic);
    this.#tally = new Tally(scenario.objective);
    const random = seededChance(seed * 104_729 + 17);
    const { startUp, unlikeness } = scenario;
    this.#startDelays = Array.from({ length: DRAWN }, () => lognormal(random, startUp.mean, startUp.variation));
    this.#speeds = Array.from({ length: DRAWN }, () => 1 + unlikeness * (random() - 0.5) * 2);
    this.#crashChance = seededChance(seed * 31 + 5);
    this.#queues = Array.from({ length: scenario.partitions ?? 1 }, () => new MessageQueue());
    this.#owners = this.#queues.map(() => null);
    this.#desired = scenario.firstConsumers;
    for (let index = 0; index < scenario.firstConsumers; index++) this.#addConsumer(true);
    for (const crash of scenario.crashes) this.#plan(crash.at, { kind: "crash", crash });
    this.#plan(policy.interval, { kind: "pass" });
  }

  *inSteps(): Generator<number, Outcome, void> {
    const { seconds } = this.#scenario;
    for (let happenings = 1; ; happenings++) {
      if (happenings % HAPPENINGS_PER_STEP === 0) yield this.#now;
      const arrivesAt = this.#nextArrival();
      const next = this.#planned.peek();
      const nextAt = next?.at ?? Number.POSITIVE_INFINITY;
      if (arrivesAt <= nextAt && arrivesAt < seconds) {
        this.#now = arrivesAt;
        this.#arrive();
        continue;
      }
      if (next === undefined || nextAt > seconds) break;
      this.#now = nextAt;
      this.#planned.pop();
      this.#happen(next.happening);
    }
    this.#now = seconds;
    this.#account();
    this.#countUnfinished();
    return this.#tally.result;
  }

  // ── what a policy sees ──

  get nowMs(): number {
    return this.#now * 1_000;
  }

  get current(): number {
    return this.#desired;
  }

  get lag(): number | null {
    return this.#scenario.isLagUnknown(this.#now) ? null : this.#waiting;
  }

  get pending(): number {
    return this.#pending + this.#released;
  }

  /** What the real scaler would find: heartbeats that are some seconds old, and consumers by these heartbeats. */
  observe(): Observation {
    const isUnknown = this.#scenario.isLagUnknown(this.#now);
    const isSilent = this.#scenario.isSilent(this.#now);
    const waiting = this.#waiting;
    const overdue = OVERDUE_HEARTBEATS * this.#scenario.heartbeatSeconds;
    let ready = 0;
    let lost = 0;
    for (const { state, isDraining, crashedAt, reported } of this.#consumers.values()) {
      const isKnown =
        state !== "starting" || (crashedAt !== null && this.#now - crashedAt < this.#scenario.leaseSeconds);
      if (isDraining || !isKnown) continue;
      if (this.#now - reported.at <= overdue) ready++;
      else lost++;
    }
    this.#readySeen = ready;
    this.#starts = followStarts(this.#starts, this.#desired, ready, this.nowMs);
    const { orderedAtMs, startUpsMs } = this.#starts;
    const oldest = this.#queues.map(({ first }) => first).filter((first) => first !== undefined);
    return {
      added: this.#arrived - this.#before.arrived,
      read: isUnknown ? null : this.#read - this.#before.read,
      waiting: isUnknown ? Math.min(waiting, COUNTED_AT_MOST) : waiting,
      isWaitingAtLeast: isUnknown && waiting > COUNTED_AT_MOST,
      oldestWaitingMs: oldest.length === 0 ? null : (this.#now - this.#arrivedAt(Math.min(...oldest))) * 1_000,
      released: this.#released,
      pending: this.#pending,
      reclaimable: 0,
      current: this.#desired,
      ready,
      startingMs: orderedAtMs.map((atMs) => this.nowMs - atMs),
      lost,
      startUpsMs,
      elsewhere: 0,
      isAlone: false,
      partitions: this.#scenario.partitions,
      consumers: isSilent ? [] : this.#registered(),
    };
  }

  #registered(): Observation["consumers"] {
    const { batchSize } = this.#scenario;
    const departed = this.#departed.splice(0);
    return [...this.#consumers.values(), ...departed]
      .filter(({ state }) => state !== "starting")
      .map(({ id, incarnation, reported }) => ({
        name: `consumer-${id}`,
        incarnation: `${incarnation}`,
        batchSize,
        concurrency: 1,
        counters: reported.counters,
      }));
  }

  // ── what happens ──

  #plan(at: number, happening: Happening): void {
    this.#planned.push({ at, happening });
  }

  #happen(happening: Happening): void {
    switch (happening.kind) {
      case "ready":
        return this.#becomeReady(happening.consumer, happening.version);
      case "done":
        return this.#finishBatch(happening.consumer, happening.version, happening.seconds);
      case "heartbeat":
        return this.#sendHeartbeat(happening.consumer, happening.incarnation);
      case "check":
        return this.#checkHeld(happening.consumer, happening.incarnation);
      case "over":
        this.#away.delete(happening.messages);
        this.#pending -= happening.messages.length;
        return this.#release(happening.messages);
      case "look":
        this.#isLookPlanned = false;
        for (const consumer of this.#consumers.values()) if (consumer.state === "idle") this.#fetch(consumer);
        return undefined;
      case "rebalance":
        return this.#rebalance();
      case "kill":
        return this.#kill(happening.consumer, happening.version);
      case "crash":
        return this.#crash(happening.crash);
      case "wake":
        if (this.#desired === 0) this.#scaleTo(this.#decider.decide(this));
        return undefined;
      case "pass":
        return this.#pass();
    }
  }

  #pass(): void {
    const { scalerRestarts, recreatedAt } = this.#scenario;
    if (this.#now >= (scalerRestarts[this.#restarts] ?? Number.POSITIVE_INFINITY)) {
      this.#restarts++;
      this.#decider.restart?.();
    }
    if (this.#now >= recreatedAt && !this.#isRecreated) {
      this.#isRecreated = true;
      this.#before = { arrived: this.#arrived, read: this.#read };
    }
    this.#scaleTo(this.#decider.decide(this));
    this.#watch?.({
      at: this.#now,
      desired: this.#desired,
      ready: [...this.#consumers.values()].filter(({ state }) => state !== "starting").length,
      waiting: this.#waiting,
    });
    this.#plan(this.#now + this.#policy.interval, { kind: "pass" });
  }

  #arrive(): void {
    const message = this.#arrived++;
    const partition = this.#partitionOf(message);
    (this.#queues[partition] as MessageQueue).add(message);
    if (this.#consumers.size > 0) {
      const reader = this.#scenario.partitions === null ? this.#nextReader() : this.#owners[partition];
      if (reader != null) this.#fetch(reader);
    } else if (this.#desired === 0 && this.#policy.wakesAfter !== null) {
      this.#plan(this.#now + this.#policy.wakesAfter, { kind: "wake" });
    }
  }

  /** Who has waited longest at the server, and still has room; `undefined`: nobody. */
  #nextReader(): SimulatedConsumer | undefined {
    for (;;) {
      const reader = this.#readers.shift();
      if (reader === undefined) return undefined;
      reader.isReading = false;
      if (roomOf(reader, this.#scenario, this.#now) > 0) return reader;
    }
  }

  #becomeReady(consumer: SimulatedConsumer, version: number): void {
    if (version !== consumer.version || consumer.state !== "starting") return;
    const { createdAt, crashedAt } = consumer;
    consumer.upSince = createdAt === 0 && crashedAt === null ? Number.NEGATIVE_INFINITY : this.#now;
    consumer.crashedAt = null;
    consumer.state = "idle";
    this.#sendHeartbeat(consumer, consumer.incarnation);
    this.#membersChanged(createdAt === 0 ? 0 : REBALANCE_GRACE_SECONDS);
    this.#fetch(consumer);
  }

  #sendHeartbeat(consumer: SimulatedConsumer, incarnation: number): void {
    const { state, counters } = consumer;
    if (incarnation !== consumer.incarnation || (state !== "idle" && state !== "busy")) return;
    consumer.reported = { at: this.#now, counters, isFree: state === "idle" };
    this.#plan(this.#now + this.#scenario.heartbeatSeconds, { kind: "heartbeat", consumer, incarnation });
  }

  #finishBatch(consumer: SimulatedConsumer, version: number, seconds: number): void {
    if (version !== consumer.version) return;
    this.#busy--;
    const { batch } = consumer;
    consumer.batch = [];
    const again = batch.filter((message) => this.#isAgain(message));
    for (const message of batch) if (!again.includes(message)) this.#finish(message);
    this.#pending -= batch.length - again.length;
    consumer.counters = addBatch(consumer.counters, batch.length, seconds * 1_000);
    consumer.slowSeconds = slowOf(consumer, seconds);
    // It is redelivered when a lease would be over.
    if (again.length > 0) this.#leave(again, Math.max(this.#now, consumer.batchSince + this.#scenario.leaseSeconds));
    if (consumer.isDraining) {
      this.#leaveGroup(consumer);
    } else {
      consumer.state = "idle";
      if (this.#scenario.partitions !== null) this.#rebalance();
      this.#fetch(consumer);
    }
  }

  /** Whether a message failed and is tried another time. */
  #isAgain(message: number): boolean {
    if (this.#traffic.isPoison[message] !== 1) return false;
    const attempts = (this.#attempts.get(message) ?? 0) + 1;
    this.#attempts.set(message, attempts);
    return attempts < this.#scenario.maxDeliveries;
  }

  #finish(message: number): void {
    if (this.#traffic.isPoison[message] !== 1) this.#tally.finished(this.#now - this.#arrivedAt(message));
  }

  #kill(consumer: SimulatedConsumer, version: number): void {
    if (version !== consumer.version || consumer.state !== "busy") return;
    this.#tally.killed(consumer.batch.length);
    this.#orphan(consumer);
    this.#remove(consumer);
  }

  #crash({ share }: Crash): void {
    const there = [...this.#consumers.values()].filter(({ isDraining, state }) => !isDraining && state !== "starting");
    const victims = share === "one" ? Math.min(1, there.length) : Math.ceil(there.length * share);
    for (let index = 0; index < victims; index++) {
      const [victim] = there.splice(Math.floor(this.#crashChance() * there.length), 1);
      if (victim !== undefined) this.#crashOne(victim);
    }
  }

  #crashOne(consumer: SimulatedConsumer): void {
    consumer.version++;
    this.#orphan(consumer);
    consumer.state = "starting";
    consumer.crashedAt = this.#now;
    consumer.incarnation++;
    consumer.counters = NO_WORK;
    // What it owned is its own until the lease is over.
    this.#plan(this.#now + this.#scenario.leaseSeconds, { kind: "rebalance" });
    const readyAt = this.#now + this.#scenario.restartAfter + this.#startDelay(consumer.id * 31 + 7);
    this.#plan(readyAt, { kind: "ready", consumer, version: consumer.version });
  }

  // ── consumers come and go ──

  #scaleTo(wanted: number): void {
    const { minConsumers, maxConsumers } = this.#scenario;
    const desired = Math.max(minConsumers, Math.min(maxConsumers, wanted));
    if (desired === this.#desired) return;
    this.#tally.moved(this.#desired, desired, this.#now);
    // As the scaler does when it orders.
    if (desired > this.#desired) this.#starts = followStarts(this.#starts, desired, this.#readySeen, this.nowMs);
    this.#desired = desired;
    const there = [...this.#consumers.values()].filter(({ isDraining }) => !isDraining);
    for (let missing = desired - there.length; missing > 0; missing--) this.#addConsumer(false);
    // As Kubernetes does: those that are not ready first, then the newest.
    const order = there.toSorted((a, b) => rank(a) - rank(b) || b.createdAt - a.createdAt);
    for (const consumer of order.slice(0, Math.max(0, there.length - desired))) this.#dismiss(consumer);
  }

  #addConsumer(isThere: boolean): void {
    this.#account();
    const id = this.#nextId++;
    const readyAt = isThere ? 0.001 : this.#now + this.#startDelay(id);
    const consumer = createConsumer(id, this.#now, this.#speeds[id % DRAWN] as number);
    this.#consumers.set(id, consumer);
    this.#plan(readyAt, { kind: "ready", consumer, version: 0 });
  }

  /** Asks it to stop: it releases what no handler has, finishes its batch, and leaves. */
  #dismiss(consumer: SimulatedConsumer): void {
    const { held, state, version } = consumer;
    consumer.isDraining = true;
    consumer.held = [];
    this.#pending -= held.length;
    this.#release(held.map(({ message }) => message));
    if (state === "busy") this.#plan(this.#now + this.#scenario.grace, { kind: "kill", consumer, version });
    else this.#leaveGroup(consumer);
  }

  /** It leaves with a last report of its work. */
  #leaveGroup(consumer: SimulatedConsumer): void {
    consumer.reported = { ...consumer.reported, counters: consumer.counters };
    this.#remove(consumer);
  }

  #remove(consumer: SimulatedConsumer): void {
    this.#account();
    this.#consumers.delete(consumer.id);
    if (consumer.state !== "starting") this.#departed.push(consumer);
    consumer.state = "gone";
    consumer.version++;
    this.#membersChanged(0);
  }

  // ── partitions ──

  #membersChanged(graceSeconds: number): void {
    const { partitions, heartbeatSeconds } = this.#scenario;
    if (partitions === null) return;
    const isFirst = this.#now === 0 || this.#owners.every((owner) => owner === null);
    const handOver = isFirst ? 0 : graceSeconds + HAND_OVER_HEARTBEATS * heartbeatSeconds;
    this.#plan(this.#now + handOver, { kind: "rebalance" });
  }

  /** Gives each partition to who should own it; one that is worked on when that is done. */
  #rebalance(): void {
    if (this.#scenario.partitions === null) return;
    const members = [...this.#consumers.values()].filter((each) => !each.isDraining && each.state !== "starting");
    const wanted = assignPartitions(this.#owners, members);
    this.#owners = this.#owners.map((owner, partition) => {
      const next = wanted[partition] ?? null;
      if (owner === null || owner === next || !this.#isHeldUp(owner, partition)) {
        if (owner !== null && owner !== next) this.#giveUp(owner, partition);
        return next;
      }
      return owner;
    });
    for (const member of members) this.#fetch(member);
  }

  /** Whether a partition cannot change its owner yet: that one works on it, or is dead and its lease is not over. */
  #isHeldUp(owner: SimulatedConsumer, partition: number): boolean {
    const { crashedAt, batch } = owner;
    if (crashedAt !== null && this.#now < crashedAt + this.#scenario.leaseSeconds) return true;
    return batch[0] !== undefined && this.#partitionOf(batch[0]) === partition;
  }

  #giveUp(owner: SimulatedConsumer, partition: number): void {
    const isOf = ({ message }: { readonly message: Message }): boolean => this.#partitionOf(message) === partition;
    const given = owner.held.filter(isOf).map(({ message }) => message);
    owner.held = owner.held.filter((each) => !isOf(each));
    this.#pending -= given.length;
    this.#release(given);
  }

  readonly #partitionOf = (message: Message): number => {
    const { partitions } = this.#scenario;
    return partitions === null ? 0 : (((message + 1) * HASH_FACTOR) % 4_294_967_296) % partitions;
  };

  // ── work ──

  /** Reads as much as it has room for: what was released only for a free place. Then it works, or waits for more. */
  #fetch(consumer: SimulatedConsumer): void {
    const { batchSize, partitions } = this.#scenario;
    for (const queue of this.#queuesOf(consumer)) {
      if (queue.released > 0 && consumer.state === "idle" && !consumer.isDraining) {
        // New ones that wait have a place beside redelivered ones.
        const share = queue.unread > 0 ? Math.max(1, Math.floor(batchSize * RETRY_SHARE)) : batchSize;
        const claimed = queue.claim(Math.min(share, Math.max(0, batchSize - consumer.held.length)));
        this.#released -= claimed.length;
        this.#hold(consumer, claimed);
      }
      if (queue.unread > 0) {
        const read = queue.read(roomOf(consumer, this.#scenario, this.#now));
        this.#read += read.length;
        consumer.counters = { ...consumer.counters, delivered: consumer.counters.delivered + read.length };
        this.#hold(consumer, read);
      }
    }
    if (this.#offer(consumer)) return;
    const waits = partitions === null && roomOf(consumer, this.#scenario, this.#now) > 0;
    if (!waits || consumer.isReading) return;
    consumer.isReading = true;
    this.#readers.push(consumer);
  }

  /** The queue of all, or those of the partitions that it owns, the one that has waited longest first. */
  #queuesOf(consumer: SimulatedConsumer): readonly MessageQueue[] {
    if (this.#scenario.partitions === null) return this.#queues;
    const firstOf = ({ first }: MessageQueue): number => first ?? Number.MAX_SAFE_INTEGER;
    return this.#queues
      .filter((_, partition) => this.#owners[partition] === consumer)
      .toSorted((left, right) => firstOf(left) - firstOf(right));
  }

  #hold(consumer: SimulatedConsumer, messages: readonly Message[]): void {
    this.#pending += messages.length;
    for (const message of messages) consumer.held.push({ message, since: this.#now });
  }

  /** Begins the next batch if there is one, and then reads ahead; `true`: it did. */
  #offer(consumer: SimulatedConsumer): boolean {
    const { held, state } = consumer;
    const [oldest] = held;
    if (oldest === undefined) return false;
    const batch = nextBatch(consumer, this.#scenario, this.#partitionOf, this.#now);
    if (batch.length > 0) {
      consumer.held = held.filter(({ message }) => !batch.includes(message));
      this.#begin(consumer, batch);
      this.#fetch(consumer);
      return true;
    }
    this.#planCheck(consumer, oldest.since + (state === "idle" ? this.#scenario.linger : patienceOf(this.#scenario)));
    return false;
  }

  #planCheck(consumer: SimulatedConsumer, at: number): void {
    if (at >= consumer.checkAt) return;
    consumer.checkAt = Math.max(this.#now, at);
    this.#plan(consumer.checkAt, { kind: "check", consumer, incarnation: consumer.incarnation });
  }

  /**
   * What it collects may wait no longer, so it works on that. While it works, it releases what it has read ahead for too long, if
   * another one said that it has a free place.
   */
  #checkHeld(consumer: SimulatedConsumer, incarnation: number): void {
    if (incarnation !== consumer.incarnation || this.#now !== consumer.checkAt) return;
    consumer.checkAt = Number.POSITIVE_INFINITY;
    if (consumer.state !== "busy") {
      this.#offer(consumer);
      return;
    }
    const late = lateOf(consumer, this.#scenario, this.#now);
    const isOneFree = [...this.#consumers.values()].some((other) => other !== consumer && isFreePlace(other));
    if (late.length > 0 && isOneFree && this.#scenario.partitions === null) {
      consumer.held = consumer.held.filter(({ message }) => !late.includes(message));
      this.#pending -= late.length;
      this.#release(late);
    }
    if (consumer.held.length > 0) this.#planCheck(consumer, this.#now + LOOKS_FOR_SURPLUS_SECONDS);
  }

  #begin(consumer: SimulatedConsumer, batch: readonly Message[]): void {
    const { overhead, slowdown, downstream, warmUp } = this.#scenario;
    let work = overhead;
    for (const message of batch) work += this.#traffic.work[message] as number;
    let seconds = work * slowdown(this.#now) * consumer.speed;
    if (this.#now - consumer.upSince < warmUp.seconds) seconds *= warmUp.factor;
    this.#busy++;
    // All consumers at work share the limit of the system behind them.
    seconds = Math.max(seconds, (this.#busy * batch.length) / downstream(this.#now));
    consumer.state = "busy";
    consumer.batch = batch;
    consumer.batchSince = this.#now;
    this.#plan(this.#now + seconds, { kind: "done", consumer, version: consumer.version, seconds });
  }

  /** All that a consumer had when it died. Others may have it when its lease is over, which it has just renewed. */
  #orphan(consumer: SimulatedConsumer): void {
    if (consumer.state === "busy") this.#busy--;
    const messages = [...consumer.batch, ...consumer.held.map(({ message }) => message)];
    consumer.batch = [];
    consumer.held = [];
    consumer.checkAt = Number.POSITIVE_INFINITY;
    if (messages.length > 0) this.#leave(messages, this.#now + this.#scenario.leaseSeconds);
  }

  #leave(messages: readonly Message[], until: number): void {
    this.#away.add(messages);
    this.#plan(until, { kind: "over", messages });
  }

  /** Puts messages where any consumer with a free place, or the owner of their partition, finds them. */
  #release(messages: readonly Message[]): void {
    if (messages.length === 0) return;
    this.#released += messages.length;
    for (const message of messages) this.#queues[this.#partitionOf(message)]?.release([message]);
    if (this.#isLookPlanned) return;
    this.#isLookPlanned = true;
    this.#plan(this.#now + LOOK_SECONDS, { kind: "look" });
  }

  // ── counting ──

  get #waiting(): number {
    return this.#arrived - this.#read;
  }

  #arrivedAt(message: number): number {
    return this.#traffic.arrivesAt[message] as number;
  }

  #nextArrival(): number {
    return this.#traffic.arrivesAt[this.#arrived] ?? Number.POSITIVE_INFINITY;
  }

  #startDelay(index: number): number {
    return this.#startDelays[index % DRAWN] as number;
  }

  #account(): void {
    this.#tally.existed(this.#consumers.size, this.#now - this.#accountedUntil);
    this.#accountedUntil = this.#now;
  }

  #countUnfinished(): void {
    const held = [...this.#consumers.values()].map(({ held: all }) => all.map(({ message }) => message));
    const batches = [...this.#consumers.values()].map(({ batch }) => batch);
    const notYet = Array.from({ length: this.#traffic.count - this.#arrived }, (_, index) => this.#arrived + index);
    for (const messages of [...this.#queues, ...this.#away, ...held, ...batches, notYet]) {
      for (const message of messages) {
        if (this.#traffic.isPoison[message] !== 1) this.#tally.unfinished(this.#now - this.#arrivedAt(message));
      }
    }
  }
}

function rank({ state }: SimulatedConsumer): number {
  return state === "starting" ? 0 : 1;
}
