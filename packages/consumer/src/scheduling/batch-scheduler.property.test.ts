import { ConnectionError, type EntryId } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { ManualClock } from "@redis-batch/test-support";
import { createMemoryServer } from "@redis-batch/testing/internal";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeMessage } from "../../test/make-messages.ts";
import { makeScope } from "../../test/make-scope.ts";
import { takeFrom } from "../../test/take-from.ts";
import { decideLargestBatch, firstIsolated } from "../decisions/isolation.ts";
import type { Gate } from "../decisions/next-batch.ts";
import type { PullMode } from "../decisions/redelivery.ts";
import type { Message } from "../message.ts";
import { DeferredReader } from "../receiving/deferred-reader.ts";
import { BatchScheduler } from "./batch-scheduler.ts";
import type { HeldMessages } from "./held-messages.ts";
import { type Collected, WaitingCalls } from "./waiting-calls.ts";

type RedeliverOwn = StreamClient["redeliverOwn"];
type Value = Readonly<Record<string, string>>;
/** How a part of the server behaves. */
type Mood = "prompt" | "late" | "failing" | "silent";
type Kind = "fresh" | "due" | "suspect" | "released";

const MAX_WAIT_MS = 500;
const BLOCK_MS = 800;
const LOOK_MS = 1_000;
const ANSWER_MS = 1_000;
const LATE_MS = 300;
const BASE_MS = 100;
const MAX_DELIVERIES = 6;
const SUSPECT_FROM = firstIsolated(MAX_DELIVERIES);
// One decision for each answer, each offer and each wait; far more of them at one moment is a loop without an end.
const MOST_DECISIONS_AT_ONCE = 300;
// What is first in its line goes within this many batches, whatever else there is.
const MOST_BATCHES_BETWEEN = 6;

interface Waiting {
  readonly id: EntryId;
  readonly deliveries: number;
  readonly bytes: number;
  /** Whether a handler hung on it before. */
  readonly isHung: boolean;
}

interface Open {
  readonly messages: readonly Message<Value>[];
  readonly mode: PullMode;
}

/** A call, as far as it matters for what it gets. */
interface Call {
  readonly mode: PullMode;
  readonly sentBefore: number;
  readonly aborter: AbortController;
  /** Whether the consumer was paused at some moment of it. */
  wasPaused: boolean;
}

/** A server that has messages, and answers or does not; what reads from it; and who works on what comes. */
class World {
  readonly clock = new ManualClock();
  readonly moods: Record<"reader" | "released" | "deferred", Mood> = {
    reader: "prompt",
    released: "prompt",
    deferred: "prompt",
  };
  readonly waiting: Waiting[] = [];
  readonly released: Waiting[] = [];
  readonly open: Open[] = [];
  /** Batches whose handlers hang until all is well again. */
  readonly hanging: Open[] = [];
  readonly calls = new Set<Call>();
  readonly failures: string[] = [];
  gate: Gate = { isPaused: false, limit: 4 };
  readonly #batchSize: number;
  readonly #crew: number;
  readonly #held: HeldMessages<Value>;
  readonly #waiting: WaitingCalls<Value>;
  readonly #scheduler: BatchScheduler<Value>;
  readonly #deferredReader: DeferredReader<Value>;
  #sequence = 0;
  #decisions = 0;
  #stuck = new Set<() => void>();
  #sent = 0;
  #answered = 0;
  #isReading = false;
  #isReaderPoked = false;
  #interrupt: (() => void) | undefined;
  #isTaking = false;
  #isMore = true;
  #nextTakeAtMs = 0;
  /** Since when, and for how many batches, something of a kind could have gone and did not. */
  readonly #passedOver = new Map<Kind, { sinceMs: number; batches: number }>();
  /** Since when no part of the server has kept anybody waiting. */
  #calmSinceMs = Number.NEGATIVE_INFINITY;
  batches = 0;
  /** How many new messages each batch left, in the order of the batches. */
  readonly #freshLeft: number[] = [];
  #isOver = false;

  /** @param crew how many handlers wait for a batch at any time */
  constructor(batchSize: number, crew: number) {
    this.#batchSize = batchSize;
    this.#crew = crew;
    const { clock } = this;
    const client = createMemoryServer({ clock }).client();
    client.redeliverOwn = (options) => this.#redeliverOwn(options);
    const fail = (error: unknown): void => void this.failures.push(String(error));
    const limits = { batchSize, maxBytes: 60, maxWaitMs: MAX_WAIT_MS, retryShare: 0.5, maxDeliveries: MAX_DELIVERIES };
    const policy = { ...limits, blockMs: 0 };
    const scope = makeScope({ policy, client, clock, random: () => 0.5, fail });
    scope.signals.roomChanged.listen(() => this.#pokeReader());
    this.#held = scope.held;
    this.#waiting = new WaitingCalls(scope);
    this.#deferredReader = new DeferredReader(scope, {
      builder: {
        readmit: ({ id, deliveries, fields }, { ripeAtMs, isSuspect }) => {
          const bytes = fields.reduce((sum, field) => sum + field.length, 0);
          const message = makeMessage(id, { deliveries, ripeAtMs, isSuspect, bytes, atMs: clock.nowMs() });
          this.#held.admit(message);
          return message;
        },
      },
    });
    const sent = (): number => this.#sent;
    this.#scheduler = new BatchScheduler(scope, {
      waiting: this.#waiting,
      intake: {
        prefersNew: false,
        stop: () => {},
        gate: () => {
          if (++this.#decisions > MOST_DECISIONS_AT_ONCE) throw new Error("it decides without an end");
          return { ...this.gate, limit: Math.min(this.gate.limit, batchSize) };
        },
        // At the moment of the decision: more may have arrived by the time that the caller has its batch.
        offered: () => void this.#freshLeft.push(this.#held.fresh.messages),
      },
      sources: {
        released: {
          isWanted: () => this.#isTakeWanted(),
          take: () => this.#take(),
          expire: () => {
            this.#isMore = true;
          },
        },
        deferred: this.#deferredReader,
        reader: {
          get sent() {
            return sent();
          },
          look: () => {
            this.#interrupt?.();
            this.#pokeReader();
          },
        },
      },
    });
    this.#deferredReader.start();
    this.#pokeReader();
    this.#lookEachSecond();
  }

  get held(): number {
    return this.#held.size;
  }

  // ── what happens ─────────────────────────────────────────────────────────────────────────────────────────────────

  add(count: number, bytes: number): void {
    for (let more = count; more > 0; more--)
      this.waiting.push({ id: `${++this.#sequence}-0`, deliveries: 0, bytes, isHung: false });
    this.#pokeReader();
    this.#interrupt?.();
  }

  /** Messages of others become anybody's. */
  release(count: number, deliveries: number, isHung: boolean): void {
    for (let more = count; more > 0; more--) {
      this.released.push({ id: `${++this.#sequence}-0`, deliveries, bytes: 10, isHung: isHung && deliveries > 0 });
    }
  }

  call(mode: PullMode): void {
    const aborter = new AbortController();
    const call: Call = { mode, sentBefore: this.#sent, aborter, wasPaused: this.gate.isPaused };
    this.calls.add(call);
    const calledAtMs = mode === "fetch" ? this.clock.nowMs() : null;
    const taking = takeFrom(this.#scheduler, { mode, calledAtMs, signal: aborter.signal });
    void taking
      .finally(() => this.calls.delete(call))
      .then(
        (collected) => this.#got(collected, call),
        (error: unknown) => {
          if (error instanceof Error && error.message !== "enough" && !ConnectionError.is(error))
            this.failures.push(String(error));
        },
      );
  }

  abort(at: number): void {
    const call = [...this.calls][at % Math.max(this.calls.size, 1)];
    call?.aborter.abort(new Error("enough"));
  }

  /** Ends a batch: some messages are acknowledged, the rest is redelivered. One that is not ended hangs. */
  end(at: number, acknowledged: number, delayMs: number): void {
    const [batch] = this.open.splice(at % Math.max(this.open.length, 1), 1);
    if (batch === undefined) return;
    const nowMs = this.clock.nowMs();
    for (const [index, message] of batch.messages.entries()) {
      if (!this.#held.canSettle(message)) {
        if (message.state === "offered") this.#held.return(message);
      } else if (index < acknowledged || message.deliveries >= MAX_DELIVERIES) {
        this.#held.beginAck(message);
        this.#held.endAck(message, false);
      } else {
        const isSuspect = message.deliveries + 1 >= SUSPECT_FROM;
        // As the redelivery decides: of a call at once, but not by itself for the base delay; of a loop after a delay.
        const isCall = batch.mode === "fetch";
        const ripeAtMs = nowMs + (isCall ? BASE_MS : Math.max(delayMs, BASE_MS));
        const dueAtMs = isCall ? nowMs : ripeAtMs;
        this.#held.defer(message, { dueAtMs, ripeAtMs, isSuspect, isUncounted: false });
      }
    }
    this.#scheduler.decide();
  }

  hang(at: number): void {
    this.hanging.push(...this.open.splice(at % Math.max(this.open.length, 1), 1));
  }

  /** One of the messages is somebody else's now, and released by him. */
  lose(at: number): void {
    const ids = this.#held.ids();
    const id = ids[at % Math.max(ids.length, 1)];
    if (id === undefined) return;
    const message = this.#held.loseLease(id);
    this.released.push({ id, deliveries: message?.deliveries ?? 1, bytes: message?.bytes ?? 2, isHung: false });
    if (message !== undefined) for (const batches of [this.open, this.hanging]) forget(batches, message);
  }

  setGate(gate: Gate): void {
    this.gate = gate;
    if (gate.isPaused) {
      for (const call of this.calls) call.wasPaused = true;
      this.#waiting.readingRests();
    }
    this.#pokeReader();
    this.#scheduler.decide();
  }

  setMood(part: "reader" | "released" | "deferred", mood: Mood): void {
    this.moods[part] = mood;
    if (mood === "silent") return;
    // What was kept is answered now.
    for (const answer of this.#stuck) answer();
    this.#stuck.clear();
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 50) {
      await this.clock.advance(50);
      await this.settle();
    }
  }

  async settle(): Promise<void> {
    while (!this.#isOver && this.calls.size < this.#crew) this.call("loop");
    await this.clock.settle();
    this.#decisions = 0;
    this.#check();
  }

  dismissCrew(): void {
    this.#isOver = true;
  }

  drain(): void {
    this.#isOver = true;
    this.#scheduler.drain();
  }

  async stop(): Promise<void> {
    this.setMood("deferred", "prompt");
    const stopping = this.#deferredReader.stop();
    await this.clock.settle();
    await stopping;
  }

  // ── the server ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Resolves when this part of the server answers. */
  async #answer(part: "reader" | "released" | "deferred"): Promise<void> {
    const mood = this.moods[part];
    if (mood === "late") await new Promise<void>((resolve) => this.clock.setTimer(LATE_MS, resolve));
    if (mood === "silent") await new Promise<void>((resolve) => this.#stuck.add(resolve));
    if (mood === "failing") throw new ConnectionError("the reply was lost", { outcome: "unknown" });
  }

  #pokeReader(): void {
    if (this.#isReading || this.#isReaderPoked) return;
    this.#isReaderPoked = true;
    queueMicrotask(() => {
      this.#isReaderPoked = false;
      void this.#read();
    });
  }

  /** As the reader does: one read after the other, as long as there is room; without waiting where somebody must know. */
  async #read(): Promise<void> {
    if (this.#isReading) return;
    const waiting = this.#waiting;
    if (this.gate.isPaused) return waiting.readingRests();
    const { messages, bytes } = this.#held.fresh;
    const count = bytes >= 60 ? 0 : this.#batchSize * (waiting.wanted + 1) - messages;
    if (count <= 0) return;
    this.#isReading = true;
    const sent = ++this.#sent;
    const mayBlock = !waiting.mustLook;
    try {
      await this.#answer("reader");
      const isInterrupted = this.waiting.length === 0 && mayBlock ? await this.#block() : false;
      const entries = this.waiting.splice(0, count);
      const read = entries.map(({ id, bytes: size }) => makeMessage(id, { bytes: size, atMs: this.clock.nowMs() }));
      for (const { chunk } of read) {
        this.#held.admitRead(chunk);
        this.#held.lineUpRead(chunk);
      }
      this.#isReading = false;
      if (read.length > 0 || !isInterrupted) {
        this.#answered = Math.max(this.#answered, sent);
        waiting.readEnded(sent, read.length >= count);
      }
    } catch (error) {
      waiting.readFailed(sent, error);
      await new Promise<void>((resolve) => this.clock.setTimer(200, resolve));
      this.#isReading = false;
    }
    this.#pokeReader();
  }

  /** Waits at the server → whether somebody has ended that. */
  #block(): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.clock.setTimer(BLOCK_MS, () => {
        this.#interrupt = undefined;
        resolve(false);
      });
      this.#interrupt = () => {
        this.#interrupt = undefined;
        cancel();
        resolve(true);
      };
    });
  }

  get #places(): number {
    if (this.gate.isPaused || this.gate.limit === 0) return 0;
    return Math.max(
      this.#batchSize * this.#waiting.wanted - this.#held.fresh.messages - this.#held.dueAmongOthers.messages,
      0,
    );
  }

  #isTakeWanted(): boolean {
    if (this.#isTaking || this.#waiting.wanted === 0 || this.gate.isPaused) return false;
    return (this.#isMore && this.#places > 0) || this.clock.nowMs() >= this.#nextTakeAtMs;
  }

  #lookEachSecond(): void {
    this.clock.setTimer(1_000, () => {
      this.#scheduler.decide();
      this.#lookEachSecond();
    });
  }

  /** As the claimer does: what there are places for, one suspect at most, and none beside another one. */
  async #take(): Promise<void> {
    this.#isTaking = true;
    this.#isMore = false;
    this.#nextTakeAtMs = this.clock.nowMs() + 1_000;
    const count = Math.max(this.#places, 1);
    try {
      await this.#answer("released");
      const wantsSuspect =
        !this.#held.isSuspectOpen && !this.#held.isSuspectBuffered && !this.#held.waitingForPayload.suspect;
      let maySuspect = wantsSuspect;
      const taken: Waiting[] = [];
      for (const one of [...this.released]) {
        if (taken.length >= count) break;
        const isSuspect = one.deliveries + 1 >= SUSPECT_FROM;
        if (isSuspect && !maySuspect) continue;
        if (isSuspect) maySuspect = false;
        taken.push(one);
        this.released.splice(this.released.indexOf(one), 1);
      }
      this.#isMore = taken.length >= count;
      const nowMs = this.clock.nowMs();
      let suspects = wantsSuspect ? 0 : 1;
      const messages = taken.flatMap(({ id, deliveries, bytes, isHung }) => {
        const isSuspect = isHung || deliveries + 1 >= SUSPECT_FROM;
        if (isSuspect && suspects++ > 0) {
          this.#held.adopt({ id, deliveries, dueAtMs: nowMs, ripeAtMs: nowMs, isSuspect, hasFailedHere: false });
          return [];
        }
        const message = makeMessage(id, { deliveries: deliveries + 1, bytes, atMs: nowMs, isSuspect });
        this.#held.admit(message);
        return [message];
      });
      this.#held.lineUpFresh(messages.filter(({ deliveries, isSuspect }) => deliveries === 1 && !isSuspect));
      this.#held.lineUpDue(messages.filter(({ deliveries, isSuspect }) => deliveries > 1 || isSuspect));
    } catch {
      // What it might have taken is found by the next look.
    } finally {
      this.#isTaking = false;
    }
  }

  async #redeliverOwn({ messages }: Parameters<RedeliverOwn>[0]): ReturnType<RedeliverOwn> {
    await this.#answer("deferred");
    return {
      entries: messages.map(({ id, deliveries }) => ({ id, deliveries, fields: [Buffer.alloc(1), Buffer.alloc(9)] })),
      trimmed: [],
    };
  }

  // ── what must hold ───────────────────────────────────────────────────────────────────────────────────────────────

  #got({ messages, redelivered, reason }: Collected<Value>, call: Call): void {
    if (reason === "draining") return;
    if (messages.length === 0) {
      if (call.mode === "loop") this.failures.push("an empty batch in a loop");
      if (!call.wasPaused && this.#answered <= call.sentBefore)
        this.failures.push("empty without a look after the call");
      return;
    }
    this.batches++;
    const freshLeft = this.#freshLeft.shift() ?? 0;
    const size = messages.length;
    const suspects = messages.filter(({ isSuspect }) => isSuspect).length;
    if (size > this.#batchSize) this.failures.push("a batch that is too large");
    if (suspects > 0 && size > 1) this.failures.push("a suspect beside others");
    const openSuspects = [...this.open, ...this.hanging]
      .flatMap((batch) => batch.messages)
      .filter((one) => one.isSuspect && one.state === "offered");
    if (suspects + openSuspects.length > 1) this.failures.push("two suspects at once");
    const atWork = new Set([...this.open, ...this.hanging].flatMap((batch) => batch.messages.map(({ id }) => id)));
    if (messages.some(({ id }) => atWork.has(id))) this.failures.push("a message is offered twice at once");
    // More than their share only where all that is new went along.
    if (redelivered > Math.max(1, size / 2) && freshLeft > 0)
      this.failures.push("redelivered ones take more than their share");
    for (const message of messages) {
      if (size > decideLargestBatch(message.deliveries, this.#batchSize, MAX_DELIVERIES))
        this.failures.push("a batch larger than a message may be in");
    }
    const went = new Set<Kind>(
      messages.map((message) => (message.isSuspect ? "suspect" : message.deliveries === 1 ? "fresh" : "due")),
    );
    for (const [kind, passed] of this.#passedOver) {
      passed.batches++;
      if (went.has(kind)) this.#passedOver.delete(kind);
    }
    this.open.push({ messages, mode: call.mode });
  }

  /** Which kinds there are that could go now, if the server answers. */
  #offerable(): ReadonlySet<Kind> {
    const nowMs = this.clock.nowMs();
    const kinds = new Set<Kind>();
    const { fresh, due } = this.#held.waitingSince(nowMs);
    if (fresh.length > 0 || this.waiting.length > 0) kinds.add("fresh");
    if (this.released.some(({ deliveries, isHung }) => deliveries + 1 < SUSPECT_FROM && !isHung)) kinds.add("released");
    for (const one of due) {
      const isRipe = one.ripeAtMs <= nowMs;
      if (isRipe && !one.isSuspect) kinds.add("due");
      if (isRipe && one.isSuspect && !this.#held.isSuspectOpen) kinds.add("suspect");
    }
    return kinds;
  }

  #check(): void {
    const nowMs = this.clock.nowMs();
    const isCalm = Object.values(this.moods).every((mood) => mood === "prompt") && this.#stuck.size === 0;
    const isSomebodyThere = this.calls.size > 0 && !this.gate.isPaused && this.gate.limit > 0;
    if (!isCalm) this.#calmSinceMs = nowMs;
    const offerable = isSomebodyThere ? this.#offerable() : new Set<Kind>();
    for (const kind of this.#passedOver.keys()) if (!offerable.has(kind)) this.#passedOver.delete(kind);
    for (const kind of offerable) {
      const passed = this.#passedOver.get(kind) ?? { sinceMs: nowMs, batches: 0 };
      this.#passedOver.set(kind, passed);
      // While it was not calm it took what the answers took; a look for the released is made each second.
      const sinceMs = Math.max(passed.sinceMs, this.#calmSinceMs + LOOK_MS + 2 * ANSWER_MS + 5_000);
      const waitedMs = nowMs - sinceMs;
      const bound = MAX_WAIT_MS + (kind === "released" ? 2_000 : 1_000);
      // Others may go in between, each of them within its time.
      if (waitedMs > bound * (passed.batches + 1))
        this.failures.push(`${kind} waited ${waitedMs} ms and ${passed.batches} batches`);
      if (waitedMs > bound && passed.batches > MOST_BATCHES_BETWEEN)
        this.failures.push(`${kind} was passed over ${passed.batches} times`);
    }
  }
}

function forget(batches: Open[], message: Message<Value>): void {
  for (const [at, batch] of batches.entries()) {
    batches[at] = { ...batch, messages: batch.messages.filter((one) => one !== message) };
  }
}

const anyMode = fc.constantFrom<PullMode>("fetch", "loop");
const anyStep = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("add" as const),
      count: fc.integer({ min: 1, max: 9 }),
      bytes: fc.integer({ min: 2, max: 50 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("release" as const),
      count: fc.integer({ min: 1, max: 6 }),
      deliveries: fc.integer({ min: 0, max: MAX_DELIVERIES - 1 }),
      isHung: fc.boolean(),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("call" as const), mode: anyMode }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("abort" as const), at: fc.nat() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("end" as const),
      at: fc.nat(),
      acknowledged: fc.integer({ min: 0, max: 4 }),
      delayMs: fc.integer({ min: 0, max: 2_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("hang" as const), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("lose" as const), at: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("gate" as const),
      isPaused: fc.boolean(),
      limit: fc.constantFrom(0, 1, 4, 4),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("mood" as const),
      part: fc.constantFrom("reader" as const, "released" as const, "deferred" as const),
      mood: fc.constantFrom<Mood>("prompt", "prompt", "late", "failing", "silent"),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 1_500 }) }) },
);
type Step = typeof anyStep extends fc.Arbitrary<infer One> ? One : never;

function carryOut(world: World, step: Step): void | Promise<void> {
  switch (step.kind) {
    case "add":
      return world.add(step.count, step.bytes);
    case "release":
      return world.release(step.count, step.deliveries, step.isHung);
    case "call":
      return world.calls.size < 3 ? world.call(step.mode) : undefined;
    case "abort":
      return world.abort(step.at);
    case "end":
      return world.end(step.at, step.acknowledged, step.delayMs);
    case "hang":
      return world.hang(step.at);
    case "lose":
      return world.lose(step.at);
    case "gate":
      return world.setGate({ isPaused: step.isPaused, limit: step.limit });
    case "mood":
      return world.setMood(step.part, step.mood);
    case "pass":
      return world.pass(step.ms);
  }
}

/** All is well again: every consumer acknowledges what it gets, until nothing is left → how long that took. */
async function comeToRest(world: World, limitMs: number): Promise<number> {
  for (const part of ["reader", "released", "deferred"] as const) world.setMood(part, "prompt");
  world.setGate({ isPaused: false, limit: 4 });
  world.open.push(...world.hanging.splice(0));
  const startedAtMs = world.clock.nowMs();
  while (world.waiting.length + world.released.length + world.held > 0) {
    if (world.clock.nowMs() - startedAtMs > limitMs) return Number.POSITIVE_INFINITY;
    while (world.open.length > 0) world.end(0, Number.POSITIVE_INFINITY, 0);
    if (world.calls.size === 0) world.call("loop");
    await world.pass(50);
  }
  return world.clock.nowMs() - startedAtMs;
}

const anySteps = fc.array(anyStep, { maxLength: 60, size: "max" });
// While every part of the server answers at once, far stricter bounds hold.
const anyCalmSteps = fc.array(
  anyStep.filter(({ kind }) => kind !== "mood"),
  { maxLength: 60, size: "max" },
);
// How many handlers are free at any time, beside the calls among the steps.
const anyCrew = fc.constantFrom(0, 1, 2);
const anyRun = fc.tuple(fc.constantFrom(1, 2, 4), anyCrew, fc.oneof(anySteps, anyCalmSteps));

describe("BatchScheduler", () => {
  it("leaves nobody behind: whatever happens, what may be offered is offered in time, once, and in its turn", async () => {
    await fc.assert(
      fc.asyncProperty(anyRun, async ([batchSize, crew, steps]) => {
        const world = new World(batchSize, crew);
        for (const step of steps) {
          await carryOut(world, step);
          await world.settle();
          expect(world.failures).toEqual([]);
        }
        expect(await comeToRest(world, 120_000)).toBeLessThan(120_000);
        expect(world.failures).toEqual([]);
        await world.stop();
      }),
      { numRuns: Number(process.env["SCHEDULER_RUNS"] ?? 150) },
    );
  });

  it("ends every call of fetch(), whatever hangs: with messages, empty, or with an error", async () => {
    await fc.assert(
      fc.asyncProperty(anyRun, async ([batchSize, crew, steps]) => {
        const world = new World(batchSize, crew);
        for (const step of steps) {
          await carryOut(world, step);
          await world.settle();
        }
        world.dismissCrew();
        for (const call of world.calls) if (call.mode === "loop") call.aborter.abort(new Error("enough"));
        await world.pass(MAX_WAIT_MS + LOOK_MS + 4 * ANSWER_MS);
        expect([...world.calls].map(({ mode }) => mode)).toEqual([]);
        expect(world.failures).toEqual([]);
        await world.stop();
      }),
      { numRuns: Number(process.env["SCHEDULER_RUNS"] ?? 100) },
    );
  });

  it("ends every call when it drains", async () => {
    await fc.assert(
      fc.asyncProperty(anyRun, async ([batchSize, crew, steps]) => {
        const world = new World(batchSize, crew);
        for (const step of steps) await carryOut(world, step);
        world.drain();
        await world.settle();
        expect(world.calls.size).toBe(0);
        await world.stop();
      }),
      { numRuns: 30 },
    );
  });
});
