/** One policy on one trace. */

import { addBatch, NO_WORK, type WorkCounters } from "@redis-batch/core/internal/groups";
import { PriorityQueue } from "@redis-batch/core/internal/service";
import type { Observation } from "@redis-batch/scaler";
import { lognormal, seededChance } from "./chance.ts";
import type { Policy, PolicyInput, PolicyRun } from "./policy.ts";
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

interface SimulatedConsumer {
  readonly id: number;
  readonly createdAt: number;
  readonly speed: number;
  state: "starting" | "idle" | "busy" | "gone";
  /** Counts up when what was planned for it no longer applies. */
  version: number;
  incarnation: number;
  readyAt: number;
  /** When it began to work, for its warm-up. */
  upSince: number;
  crashedAt: number | null;
  isDraining: boolean;
  batch: readonly number[];
  /** Whether the batch consists of messages that were delivered before. */
  batchSince: number;
  counters: WorkCounters;
}

/** What happens next, and when, in seconds. */
interface Planned {
  readonly at: number;
  readonly happening: Happening;
}

type Happening =
  | { readonly kind: "ready" | "kill"; readonly consumer: SimulatedConsumer; readonly version: number }
  | { readonly kind: "done"; readonly consumer: SimulatedConsumer; readonly version: number; readonly seconds: number }
  | { readonly kind: "claimable"; readonly messages: readonly number[] }
  | { readonly kind: "crash"; readonly crash: Crash }
  | { readonly kind: "linger" | "pass" | "wake" };

// A crash shows when its heartbeat is over.
const HEARTBEAT_SECONDS = 10;
// If the server does not know the lag, the scaler counts no further than this.
const COUNTED_AT_MOST = 1_000;
// How many of the latest start-ups are reported.
const START_UPS = 20;
const DRAWN = 4_096;
const EPSILON = 1e-9;

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
  #idle: SimulatedConsumer[] = [];
  #busy = 0;
  #accountedUntil = 0;
  readonly #startUps: number[] = [];
  /** Consumers that left since the last pass. */
  readonly #departed: SimulatedConsumer[] = [];

  /** Messages that arrived, and that were delivered for the first time. */
  #arrived = 0;
  #delivered = 0;
  #pending = 0;
  #isLingering = false;
  readonly #attempts = new Map<number, number>();
  #claimable: number[] = [];
  /** The counters of the stream that was there before. */
  #before = { arrived: 0, delivered: 0 };
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
      const isAwaited = this.#idle.length > 0 || (this.#policy.wakesAfter !== null && this.#consumers.size === 0);
      const next = this.#planned.peek();
      const nextAt = next?.at ?? Number.POSITIVE_INFINITY;
      if (isAwaited && arrivesAt <= nextAt && arrivesAt < seconds) {
        this.#arrive(arrivesAt);
        continue;
      }
      if (next === undefined || nextAt > seconds) break;
      this.#now = nextAt;
      this.#planned.pop();
      while (this.#nextArrival() <= this.#now) this.#arrived++;
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

  observe(): Observation {
    const isUnknown = this.#scenario.isLagUnknown(this.#now);
    const isSilent = this.#scenario.isSilent(this.#now);
    const waiting = this.#waiting;
    const startingMs: number[] = [];
    let ready = 0;
    let lost = 0;
    for (const consumer of this.#consumers.values()) {
      if (consumer.isDraining) continue;
      if (consumer.state !== "starting") ready++;
      else if (consumer.crashedAt === null) startingMs.push((this.#now - consumer.createdAt) * 1_000);
      else if (this.#now - consumer.crashedAt > HEARTBEAT_SECONDS) lost++;
      else ready++;
    }
    return {
      added: this.#arrived - this.#before.arrived,
      read: isUnknown ? null : this.#delivered - this.#before.delivered,
      waiting: isUnknown ? Math.min(waiting, COUNTED_AT_MOST) : waiting,
      isWaitingAtLeast: isUnknown && waiting > COUNTED_AT_MOST,
      oldestWaitingMs: waiting > 0 ? (this.#now - this.#arrivedAt(this.#delivered)) * 1_000 : null,
      released: 0,
      pending: this.#pending,
      reclaimable: this.#claimable.length,
      current: this.#desired,
      ready,
      startingMs,
      lost,
      startUpsMs: this.#startUps.slice(-START_UPS),
      elsewhere: 0,
      isAlone: false,
      partitions: null,
      consumers: isSilent ? [] : this.#registered(),
    };
  }

  #registered(): Observation["consumers"] {
    const { batchSize } = this.#scenario;
    const departed = this.#departed.splice(0);
    return [...this.#consumers.values(), ...departed]
      .filter(({ state }) => state !== "starting")
      .map(({ id, incarnation, counters }) => ({
        name: `consumer-${id}`,
        incarnation: `${incarnation}`,
        batchSize,
        concurrency: 1,
        counters,
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
      case "linger":
        this.#isLingering = false;
        return this.#dispatch();
      case "claimable":
        this.#claimable.push(...happening.messages);
        return this.#dispatch();
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
      this.#before = { arrived: this.#arrived, delivered: this.#delivered };
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

  #arrive(at: number): void {
    this.#now = at;
    this.#arrived++;
    if (this.#consumers.size > 0) this.#dispatch();
    else if (this.#desired === 0) this.#plan(this.#now + (this.#policy.wakesAfter ?? 0), { kind: "wake" });
  }

  #becomeReady(consumer: SimulatedConsumer, version: number): void {
    if (version !== consumer.version || consumer.state !== "starting") return;
    consumer.state = "idle";
    const isOrdered = consumer.createdAt > 0 && consumer.crashedAt === null;
    if (isOrdered) this.#startUps.push((this.#now - consumer.createdAt) * 1_000);
    consumer.upSince = consumer.createdAt === 0 && consumer.crashedAt === null ? Number.NEGATIVE_INFINITY : this.#now;
    consumer.crashedAt = null;
    this.#next(consumer);
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
    if (again.length > 0) this.#leave(again, consumer.batchSince);
    if (consumer.isDraining) this.#remove(consumer);
    else this.#next(consumer);
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
    if (consumer.state === "busy") this.#orphan(consumer);
    this.#idle = this.#idle.filter((other) => other !== consumer);
    consumer.state = "starting";
    consumer.crashedAt = this.#now;
    consumer.incarnation++;
    consumer.counters = NO_WORK;
    consumer.readyAt = this.#now + this.#scenario.restartAfter + this.#startDelay(consumer.id * 31 + 7);
    this.#plan(consumer.readyAt, { kind: "ready", consumer, version: consumer.version });
  }

  // ── consumers come and go ──

  #scaleTo(wanted: number): void {
    const { minConsumers, maxConsumers } = this.#scenario;
    const desired = Math.max(minConsumers, Math.min(maxConsumers, wanted));
    if (desired === this.#desired) return;
    this.#tally.moved(this.#desired, desired, this.#now);
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
    const consumer: SimulatedConsumer = {
      id,
      createdAt: this.#now,
      speed: this.#speeds[id % DRAWN] as number,
      state: "starting",
      version: 0,
      incarnation: 1,
      readyAt,
      upSince: 0,
      crashedAt: null,
      isDraining: false,
      batch: [],
      batchSince: 0,
      counters: NO_WORK,
    };
    this.#consumers.set(id, consumer);
    this.#plan(readyAt, { kind: "ready", consumer, version: 0 });
  }

  #dismiss(consumer: SimulatedConsumer): void {
    if (consumer.state !== "busy") {
      this.#idle = this.#idle.filter((other) => other !== consumer);
      this.#remove(consumer);
      return;
    }
    consumer.isDraining = true;
    this.#plan(this.#now + this.#scenario.grace, { kind: "kill", consumer, version: consumer.version });
  }

  #remove(consumer: SimulatedConsumer): void {
    this.#account();
    this.#consumers.delete(consumer.id);
    if (consumer.state !== "starting") this.#departed.push(consumer);
    consumer.state = "gone";
    consumer.version++;
  }

  // ── work ──

  /** What a consumer does when it is free: it takes messages of dead consumers first, then new ones, in batches. */
  #next(consumer: SimulatedConsumer): void {
    if (this.#takeClaimable(consumer) || this.#takeNew(consumer)) return;
    consumer.state = "idle";
    this.#idle.push(consumer);
    if (this.#waiting > 0) this.#linger();
  }

  #dispatch(): void {
    for (let consumer = this.#idle[0]; consumer !== undefined; consumer = this.#idle[0]) {
      if (!this.#takeClaimable(consumer) && !this.#takeNew(consumer)) break;
      this.#idle.shift();
    }
    if (this.#idle.length > 0 && this.#waiting > 0) this.#linger();
  }

  #takeClaimable(consumer: SimulatedConsumer): boolean {
    if (this.#claimable.length === 0) return false;
    this.#begin(consumer, this.#claimable.splice(0, this.#scenario.batchSize));
    return true;
  }

  #takeNew(consumer: SimulatedConsumer): boolean {
    const waiting = this.#waiting;
    const { batchSize, linger } = this.#scenario;
    if (waiting === 0) return false;
    if (waiting < batchSize && this.#now - this.#arrivedAt(this.#delivered) < linger - EPSILON) return false;
    const first = this.#delivered;
    const batch = Array.from({ length: Math.min(batchSize, waiting) }, (_, index) => first + index);
    this.#delivered += batch.length;
    this.#pending += batch.length;
    consumer.counters = { ...consumer.counters, delivered: consumer.counters.delivered + batch.length };
    this.#begin(consumer, batch);
    return true;
  }

  #begin(consumer: SimulatedConsumer, batch: readonly number[]): void {
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

  /** Leaves the batch of a consumer that dies. */
  #orphan(consumer: SimulatedConsumer): void {
    this.#busy--;
    this.#leave(consumer.batch, consumer.batchSince);
    consumer.batch = [];
  }

  /** Other consumers may take these messages when the lease is over. */
  #leave(messages: readonly number[], since: number): void {
    const at = Math.max(this.#now, since + this.#scenario.leaseSeconds);
    this.#plan(at, { kind: "claimable", messages });
  }

  #linger(): void {
    if (this.#isLingering) return;
    this.#isLingering = true;
    const at = this.#arrivedAt(this.#delivered) + this.#scenario.linger;
    this.#plan(Math.max(this.#now, at), { kind: "linger" });
  }

  // ── counting ──

  get #waiting(): number {
    return this.#arrived - this.#delivered;
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
    for (let message = this.#delivered; message < this.#traffic.count; message++) {
      this.#tally.unfinished(this.#now - this.#arrivedAt(message));
    }
    for (const { batch } of this.#consumers.values()) {
      for (const message of batch) {
        if (this.#traffic.isPoison[message] !== 1) this.#tally.unfinished(this.#now - this.#arrivedAt(message));
      }
    }
  }
}

function rank({ state }: SimulatedConsumer): number {
  return state === "starting" ? 0 : 1;
}
