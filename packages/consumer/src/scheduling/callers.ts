/**
 * Gives each caller the next batch, of whichever stream has one. Each stream decides for itself when it has one; streams take
 * turns where several have one for the same caller, so that a busy stream does not starve a quiet one.
 */
import { type Clock, onAbort } from "@redis-batch/core/internal/service";
import type { PullMode } from "../decisions/redelivery.ts";
import type { Call, Collected } from "./waiting-calls.ts";

/** One stream, as far as callers need it. */
export interface BatchSource<Value> {
  readonly scheduler: {
    /** Adds a call → takes it back. */
    submit(call: Call<Value>): () => void;
  };
  /** A call was taken back: the next in line may get a batch, and fewer new messages are wanted. */
  callTakenBack(): void;
}

export interface TakeOptions {
  readonly mode: PullMode;
  /** When the wait began, by the local clock; its batch may be empty. `null`: the wait begins with the first message. */
  readonly calledAtMs: number | null;
  readonly signal?: AbortSignal | undefined;
}

export interface Taken<Source, Value> {
  /** Whose batch it is; `undefined` if it is empty. */
  readonly source: Source | undefined;
  readonly collected: Collected<Value>;
}

interface Caller<Source, Value> {
  readonly options: TakeOptions;
  readonly end: (taken: Taken<Source, Value>) => void;
  readonly fail: (reason: unknown) => void;
  /** The streams that have not answered yet, and how to withdraw the call there. */
  readonly asked: Map<Source, () => void>;
  isDone: boolean;
  /** Whether its time is up: it waits no longer than streams still have to answer. */
  isOver: boolean;
  /** Whether a stream was asked, and has nothing. */
  isEmpty: boolean;
  refusal: { readonly reason: unknown } | undefined;
}

/** What callers have to know of the streams that are not asked. */
export interface StreamsOfCallers {
  readonly clock: Clock;
  /** How long a call waits that no stream can answer: of a stream with partitions, this consumer may own none. */
  readonly maxWaitMs: number;
  /** Whether batches are still handed out: no stream at the moment does not mean that there will be none. */
  readonly isOpen: () => boolean;
  /** Why a stream rests that was not asked; `undefined`: none does. */
  readonly restReason: () => unknown;
}

export class Callers<Value, Source extends BatchSource<Value>> {
  readonly #streams: StreamsOfCallers;
  /** The one whose turn it is in front. */
  #sources: readonly Source[] = [];
  readonly #waiting = new Set<Caller<Source, Value>>();

  constructor(streams: StreamsOfCallers) {
    this.#streams = streams;
  }

  /** Takes in a stream. Those who wait already are asked for it, too. */
  join(source: Source): void {
    this.#sources = [...this.#sources, source];
    for (const caller of this.#waiting) this.#ask(caller, source);
  }

  /** The stream hands out no more batches. It has answered its calls. */
  leave(source: Source): void {
    this.#sources = this.#sources.filter((one) => one !== source);
  }

  /** Waits for the next batch. It is empty when the call's time is up, or when the consumer drains. */
  take(options: TakeOptions): Promise<Taken<Source, Value>> {
    return new Promise((resolve, reject) => {
      options.signal?.throwIfAborted();
      let stopListening = (): void => {};
      let cancelTimer = (): void => {};
      const finish = (settle: () => void): void => {
        caller.isDone = true;
        this.#waiting.delete(caller);
        stopListening();
        cancelTimer();
        const asked = [...caller.asked];
        caller.asked.clear();
        // Everywhere, before any stream decides about the next in line: one that still had the call might answer it as well.
        for (const [, withdraw] of asked) withdraw();
        settle();
        for (const [source] of asked) source.callTakenBack();
      };
      const caller: Caller<Source, Value> = {
        ...{ options, asked: new Map(), isDone: false, isOver: false, isEmpty: false, refusal: undefined },
        end: (taken) => finish(() => resolve(taken)),
        fail: (reason) => finish(() => reject(reason)),
      };
      this.#waiting.add(caller);
      // One that answers at once must not be taken for the only one.
      for (const source of this.#sources) caller.asked.set(source, () => {});
      for (const source of this.#sources) this.#ask(caller, source);
      if (this.#sources.length === 0) this.#settle(caller);
      if (caller.isDone) return;
      stopListening = onAbort(options.signal, caller.fail);
      cancelTimer = this.#endsAtLast(caller);
    });
  }

  /** Ends a call whose time is up, and that no stream has been asked for → how to call it off. */
  #endsAtLast(caller: Caller<Source, Value>): () => void {
    const { clock, maxWaitMs } = this.#streams;
    const { calledAtMs } = caller.options;
    if (calledAtMs === null) return () => {};
    return clock.setTimer(Math.max(calledAtMs + maxWaitMs - clock.nowMs(), 0), () => {
      caller.isOver = true;
      this.#settle(caller);
    });
  }

  /** The consumer stops: those who still wait, and for whom no stream can answer, get an empty batch. */
  drain(): void {
    for (const caller of this.#waiting) this.#settle(caller);
  }

  #ask(caller: Caller<Source, Value>, source: Source): void {
    if (caller.isDone) return;
    const { mode, calledAtMs } = caller.options;
    // It may answer before it returns.
    caller.asked.set(source, () => {});
    const answered = (): void => {
      caller.asked.delete(source);
    };
    const withdraw = source.scheduler.submit({
      ...{ mode, calledAtMs },
      hand: (collected) => {
        answered();
        if (collected.messages.length > 0) return this.#hand(caller, source, collected);
        caller.isEmpty ||= collected.reason !== "draining";
        this.#settle(caller);
      },
      giveUp: (reason) => {
        answered();
        caller.refusal ??= { reason };
        this.#settle(caller);
      },
    });
    // It, or meanwhile another stream, may have answered: a call that stays behind would take a batch to nobody.
    if (caller.isDone) withdraw();
    else if (caller.asked.has(source)) caller.asked.set(source, withdraw);
  }

  #hand(caller: Caller<Source, Value>, source: Source, collected: Collected<Value>): void {
    const place = this.#sources.indexOf(source) + 1;
    if (this.#sources.length > 1) this.#sources = [...this.#sources.slice(place), ...this.#sources.slice(0, place)];
    caller.end({ source, collected });
  }

  /** Once every stream has answered, and none has a batch. */
  #settle(caller: Caller<Source, Value>): void {
    if (caller.asked.size > 0 || caller.isDone) return;
    const { refusal, isEmpty, options } = caller;
    const nothing = (reason: "wait" | "draining"): void =>
      caller.end({ source: undefined, collected: { messages: [], reason, redelivered: 0 } });
    const restReason = this.#streams.restReason();
    if (refusal !== undefined) caller.fail(refusal.reason);
    else if (!this.#streams.isOpen()) nothing("draining");
    // An empty batch would say that no stream has a message, and nobody asked this one.
    else if (options.mode === "fetch" && restReason !== undefined) caller.fail(restReason);
    else if (isEmpty || caller.isOver) nothing("wait");
  }
}
