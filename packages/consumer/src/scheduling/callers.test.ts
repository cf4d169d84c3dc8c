import { ManualClock } from "@redis-batch/test-support";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeMessage } from "../../test/make-messages.ts";
import { type BatchSource, Callers } from "./callers.ts";
import type { Call } from "./waiting-calls.ts";

type Value = Readonly<Record<string, string>>;

/** A stream that hands out what it is told to. */
class Source implements BatchSource<Value> {
  readonly waiting: Call<Value>[] = [];
  /** How many batches it can hand out. */
  ready: number;
  handed = 0;
  /** Answers every call at once. */
  isAlwaysEmpty = false;

  constructor(ready = 0) {
    this.ready = ready;
  }

  readonly scheduler = {
    submit: (call: Call<Value>): (() => void) => {
      this.waiting.push(call);
      if (this.isAlwaysEmpty) this.answer("wait");
      this.handOut();
      return () => {
        if (this.waiting.includes(call)) this.waiting.splice(this.waiting.indexOf(call), 1);
      };
    },
  };

  callTakenBack(): void {
    this.handOut();
  }

  handOut(): void {
    while (this.ready > 0 && this.waiting.length > 0) {
      this.ready--;
      this.handed++;
      const messages = [makeMessage(`${this.handed}-0`)];
      this.waiting.shift()?.hand({ messages, reason: "entries", redelivered: 0 });
    }
  }

  answer(reason: "wait" | "draining"): void {
    this.waiting.shift()?.hand({ messages: [], reason, redelivered: 0 });
  }
}

function open(...sources: readonly Source[]) {
  const state: { isOpen: boolean; restReason: unknown } = { isOpen: true, restReason: undefined };
  const callers = new Callers<Value, Source>({
    ...{ clock: new ManualClock(), maxWaitMs: 1_000 },
    ...{ isOpen: () => state.isOpen, restReason: () => state.restReason },
  });
  for (const source of sources) callers.join(source);
  return { callers, state };
}

const loop = { mode: "loop", calledAtMs: null } as const;
const fetch = { mode: "fetch", calledAtMs: 0 } as const;

describe("Callers", () => {
  it("let streams take turns where several have a batch", async () => {
    const [a, b, c] = [new Source(100), new Source(100), new Source(100)];
    const { callers } = open(a, b, c);
    for (let calls = 0; calls < 9; calls++) await callers.take(loop);
    expect([a.handed, b.handed, c.handed]).toEqual([3, 3, 3]);
  });

  it("give an empty batch only when every stream has none", async () => {
    const [a, b] = [new Source(), new Source()];
    const { callers } = open(a, b);
    const taking = callers.take(fetch);
    a.answer("wait");
    b.ready = 1;
    b.handOut();
    expect(await taking).toMatchObject({ source: b });
    const again = callers.take(fetch);
    a.answer("wait");
    b.answer("wait");
    expect(await again).toMatchObject({ source: undefined, collected: { reason: "wait" } });
  });

  it("ask every stream before they say that there is nothing, also where the first answers at once", async () => {
    const [a, b] = [new Source(), new Source(1)];
    a.isAlwaysEmpty = true;
    const { callers } = open(a, b);
    expect(await callers.take(fetch)).toMatchObject({ source: b });
  });

  it("reject where one stream could not be asked and no other has a batch", async () => {
    const [a, b] = [new Source(), new Source()];
    const { callers } = open(a, b);
    const taking = callers.take(fetch);
    a.waiting.shift()?.giveUp(new Error("no answer"));
    b.answer("wait");
    await expect(taking).rejects.toThrow("no answer");
  });

  it("reject a call instead of saying that there is nothing where a stream that rests was not asked", async () => {
    const source = new Source();
    const { callers, state } = open(source);
    state.restReason = new Error("it rests");
    const taking = callers.take(fetch);
    source.answer("wait");
    await expect(taking).rejects.toThrow("it rests");
  });

  it("keep a loop waiting while its only stream rests, and ask the one that comes", async () => {
    const resting = new Source();
    const { callers, state } = open(resting);
    const taking = callers.take(loop);
    callers.leave(resting);
    resting.answer("draining");
    const next = new Source(1);
    callers.join(next);
    expect(await taking).toMatchObject({ source: next });
    const last = callers.take(loop);
    callers.leave(next);
    next.answer("draining");
    state.isOpen = false;
    callers.drain();
    expect(await last).toMatchObject({ source: undefined, collected: { reason: "draining" } });
  });

  it("withdraw everywhere what was aborted", async () => {
    const [a, b] = [new Source(), new Source()];
    const { callers } = open(a, b);
    const aborter = new AbortController();
    const taking = callers.take({ ...loop, signal: aborter.signal });
    aborter.abort(new Error("enough"));
    await expect(taking).rejects.toThrow("enough");
    expect([a.waiting, b.waiting]).toEqual([[], []]);
  });

  it("give each batch to one caller, and leave no call behind, whatever the order", async () => {
    const steps = fc.array(
      fc.oneof(
        fc.constant({ kind: "take" } as const),
        fc.record({ kind: fc.constant("ready" as const), at: fc.nat(3), isNoticed: fc.boolean() }),
        fc.record({ kind: fc.constant("empty" as const), at: fc.nat(3) }),
      ),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), steps, async (count, taken) => {
        const sources = Array.from({ length: count }, () => new Source());
        const { callers, state } = open(...sources);
        const got: Promise<number>[] = [];
        for (const step of taken) {
          if (step.kind === "take") {
            got.push(callers.take(loop).then(({ collected }) => collected.messages.length));
            continue;
          }
          const source = sources[step.at % count] as Source;
          if (step.kind === "empty") source.answer("wait");
          else {
            source.ready++;
            if (step.isNoticed) source.handOut();
          }
        }
        state.isOpen = false;
        for (const source of sources) while (source.waiting.length > 0) source.answer("draining");
        callers.drain();
        const messages = (await Promise.all(got)).reduce((sum, more) => sum + more, 0);
        expect(messages).toBe(sources.reduce((sum, { handed }) => sum + handed, 0));
        expect(sources.every(({ waiting }) => waiting.length === 0)).toBe(true);
      }),
    );
  });
});
