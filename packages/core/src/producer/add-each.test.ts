import { setImmediate as nextTurn } from "node:timers/promises";
import { runInNewContext } from "node:vm";
import { deferred, ODD_VALUES, thenable } from "@redis-batch/test-support";
import { describe, expect, test } from "vitest";
import { PayloadError, type RedisBatchError, ServerStateError, UsageError } from "../errors/errors.ts";
import {
  type AddEachOptions,
  type AddEachTarget,
  type AddedMessage,
  type AddResult,
  addEach,
  type MessageKeys,
  visitEach,
  WINDOW,
} from "./add-each.ts";
import type { Ending } from "./sender.ts";

/** A producer whose server answers when it is told to. */
class ScriptedTarget implements AddEachTarget<number> {
  readonly accepted: number[] = [];
  readonly keys: (string | undefined)[] = [];
  /** Whether a message is answered as soon as it is accepted. */
  answersAtOnce = true;
  /** How many messages it takes before it has no room. */
  room = Number.POSITIVE_INFINITY;
  fault: Error | undefined;
  failing = new Map<number, RedisBatchError>();
  #open: (() => void)[] = [];
  #change: () => void = () => {};

  add(value: number, keys: MessageKeys, signal: AbortSignal, ending: Ending<AddedMessage>): void {
    this.accepted.push(value);
    this.keys.push(keys.idempotencyKey);
    let isEnded = false;
    const end = (how: () => void): void => {
      if (!isEnded) how();
      isEnded = true;
    };
    const answer = (): void => {
      const error = this.failing.get(value);
      if (error === undefined) end(() => ending.confirm({ id: `${value}-0`, duplicate: false }));
      else end(() => ending.refuse(error));
    };
    signal.addEventListener("abort", () => end(() => ending.refuse(signal.reason)));
    if (this.answersAtOnce) answer();
    else this.#open.push(answer);
  }

  hasRoom(): boolean {
    if (this.fault !== undefined) throw this.fault;
    return this.accepted.length < this.room;
  }

  change(): Promise<void> {
    return new Promise((resolve) => {
      this.#change = resolve;
    });
  }

  makeRoom(room: number): void {
    this.room = room;
    this.#change();
  }

  answerAll(): void {
    for (const answer of this.#open.splice(0)) answer();
  }
}

/** A source that counts what was read of it and knows whether it was let go. */
function countedSource(length: number) {
  const state = { read: 0, isLetGo: false };
  function* items(): Generator<number> {
    try {
      for (; state.read < length; ) yield state.read++;
    } finally {
      state.isLetGo = true;
    }
  }
  async function* asyncItems(): AsyncGenerator<number> {
    yield* items();
  }
  return { state, items, asyncItems };
}

async function collect(
  source: Iterable<number> | AsyncIterable<number>,
  target: AddEachTarget<number>,
  options: AddEachOptions<number> = {},
): Promise<AddResult[]> {
  const results: AddResult[] = [];
  for await (const result of addEach(source, target, options)) results.push(result);
  return results;
}

describe.each(["items", "asyncItems"] as const)("a source of %s", (kind) => {
  test("is added in order, each item with its result", async () => {
    const target = new ScriptedTarget();
    const source = countedSource(2_500);
    const results = await collect(source[kind](), target);
    expect(results.map(({ index }) => index)).toEqual(Array.from({ length: 2_500 }, (_, index) => index));
    expect(results[7]).toEqual({ index: 7, kind: "added", id: "7-0", duplicate: false });
    expect(target.accepted).toEqual(results.map(({ index }) => index));
  });

  test("is read no further than the window ahead", async () => {
    const target = new ScriptedTarget();
    target.answersAtOnce = false;
    const source = countedSource(5_000);
    const results = collect(source[kind](), target);
    while (target.accepted.length < WINDOW) await nextTurn();
    await nextTurn();
    expect(source.state.read).toBe(WINDOW);
    target.answersAtOnce = true;
    target.answerAll();
    expect(await results).toHaveLength(5_000);
  });

  test("is read no further than there is room", async () => {
    const target = new ScriptedTarget();
    target.room = 3;
    const source = countedSource(10);
    const results = collect(source[kind](), target);
    await nextTurn();
    await nextTurn();
    expect(source.state.read).toBe(3);
    target.makeRoom(100);
    expect(await results).toHaveLength(10);
  });

  test("is let go when the loop is left early", async () => {
    const source = countedSource(10);
    for await (const { index } of addEach(source[kind](), new ScriptedTarget(), {})) if (index === 4) break;
    expect(source.state.isLetGo).toBe(true);
  });

  test("is not read after a failure when told so; what was read is still reported", async () => {
    const target = new ScriptedTarget();
    target.failing.set(1, new ServerStateError("full", { state: "OOM" }));
    const source = countedSource(WINDOW + 500);
    const results = await collect(source[kind](), target, { stopOnError: true });
    expect(results.length).toBe(source.state.read);
    expect(results.length).toBeLessThanOrEqual(WINDOW);
    expect(results.filter(({ kind: end }) => end === "failed")).toHaveLength(1);
  });

  test("is not read when the producer is closed, after all is reported", async () => {
    const target = new ScriptedTarget();
    target.fault = new UsageError("closed");
    const source = countedSource(10);
    await expect(collect(source[kind](), target)).rejects.toBe(target.fault);
    expect(source.state.read).toBe(0);
  });
});

test("results come as they are known, before the source gives its next item", async () => {
  const more = deferred<void>();
  async function* source(): AsyncGenerator<number> {
    yield 0;
    await more.promise;
    yield 1;
  }
  const results = addEach(source(), new ScriptedTarget(), {});
  expect(await results.next()).toMatchObject({ value: { index: 0 } });
  more.resolve();
  expect(await results.next()).toMatchObject({ value: { index: 1 } });
  expect(await results.next()).toEqual({ done: true, value: undefined });
});

test("a failed item stops nothing else", async () => {
  const target = new ScriptedTarget();
  const error = new ServerStateError("full", { state: "OOM" });
  target.failing.set(1, error);
  expect(await collect([0, 1, 2], target)).toEqual([
    { index: 0, kind: "added", id: "0-0", duplicate: false },
    { index: 1, kind: "failed", error },
    { index: 2, kind: "added", id: "2-0", duplicate: false },
  ]);
});

test("each item gets the key that is made for it; a fault in making one is that item's", async () => {
  const target = new ScriptedTarget();
  const results = await collect([5, 6, 7], target, {
    idempotencyKey: (value, index) => {
      if (index === 1) throw new Error("secret");
      return `${value}@${index}`;
    },
  });
  expect(target.keys).toEqual(["5@0", "7@2"]);
  expect(results[1]).toMatchObject({ kind: "failed", error: { code: "PAYLOAD" } });
});

describe("a source that throws", () => {
  test("ends the run with its error, after what it gave is reported", async () => {
    const fault = new Error("disk");
    function* source(): Generator<number> {
      yield 0;
      throw fault;
    }
    const seen: number[] = [];
    const run = async (): Promise<void> => {
      for await (const { index } of addEach(source(), new ScriptedTarget(), {})) seen.push(index);
    };
    await expect(run()).rejects.toBe(fault);
    expect(seen).toEqual([0]);
  });
});

describe("an abort", () => {
  test("ends the reading, takes back what is not sent, and rejects with its reason", async () => {
    const target = new ScriptedTarget();
    target.answersAtOnce = false;
    const abort = new AbortController();
    const source = countedSource(10);
    const results = collect(source.items(), target, { signal: abort.signal });
    await nextTurn();
    abort.abort(new Error("enough"));
    await expect(results).rejects.toThrow("enough");
    expect(source.state.isLetGo).toBe(true);
  });

  test("does not wait for a source that hangs", async () => {
    const abort = new AbortController();
    async function* source(): AsyncGenerator<number> {
      yield 0;
      await new Promise(() => {});
    }
    const seen: number[] = [];
    const run = async (): Promise<void> => {
      for await (const { index } of addEach(source(), new ScriptedTarget(), { signal: abort.signal })) {
        seen.push(index);
        abort.abort(new Error("enough"));
      }
    };
    await expect(run()).rejects.toThrow("enough");
    expect(seen).toEqual([0]);
  });

  test("before the start reads nothing", async () => {
    const source = countedSource(10);
    const results = collect(source.items(), new ScriptedTarget(), { signal: AbortSignal.abort(new Error("never")) });
    await expect(results).rejects.toThrow("never");
    expect(source.state.read).toBe(0);
  });
});

describe("whatever a source is, or does", () => {
  /** What a source gives, one `next()` after the other. */
  const stepping = (next: () => unknown, rest: object = {}): AsyncIterable<number> =>
    ({ [Symbol.asyncIterator]: () => ({ next, ...rest }) }) as unknown as AsyncIterable<number>;
  const fail = (): never => {
    throw new Error("disk");
  };

  test("promises of another realm are awaited, and it ends", async () => {
    const source = runInNewContext(
      "({ async *[Symbol.asyncIterator]() { for (let index = 0; index < 3; index++) yield index } })",
    ) as AsyncIterable<number>;
    expect(await collect(source, new ScriptedTarget())).toMatchObject(
      [0, 1, 2].map((index) => ({ index, kind: "added" })),
    );
  });

  test("whatever has a then is awaited, and it ends", async () => {
    let read = 0;
    const source = stepping(() => thenable((resolve) => resolve({ done: read++ === 3, value: read })));
    expect(await collect(source, new ScriptedTarget())).toHaveLength(3);
  });

  test.each(ODD_VALUES)("one that throws, or rejects with, %s ends the run with just that", async (_what, value) => {
    const throwing = (): never => {
      throw value;
    };
    // biome-ignore lint/suspicious/useAwait: it is to reject
    for (const next of [throwing, async () => throwing()]) {
      const end = await collect(stepping(next), new ScriptedTarget()).then(
        () => "ended",
        (error: unknown) => ({ error }),
      );
      expect(Object.is((end as { readonly error: unknown }).error, value)).toBe(true);
    }
  });

  test.each([
    ["nothing", () => undefined],
    ["a number", () => 5],
    ["nothing, later", async () => null],
  ])("one whose next() gives %s is no iterator, and the run ends", async (_what, next) => {
    await expect(collect(stepping(next), new ScriptedTarget())).rejects.toThrow("the source is not an iterator");
  });

  test.each([
    [
      "done",
      {
        get done() {
          return fail();
        },
      },
    ],
    [
      "value",
      {
        done: false,
        get value() {
          return fail();
        },
      },
    ],
  ])("one whose %s throws ends the run with what it threw", async (_what, step) => {
    for (const next of [() => step, async () => step]) {
      await expect(collect(stepping(next), new ScriptedTarget())).rejects.toThrow("disk");
    }
  });

  test.each([
    ["throws", fail],
    // biome-ignore lint/suspicious/useAwait: it is to reject
    ["rejects", async () => fail()],
  ])("a return() that %s does not hide what ended the run, and otherwise is told", async (_what, end) => {
    const endless = stepping(() => ({ done: false, value: 1 }), { return: end });
    const target = new ScriptedTarget();
    target.failing.set(1, new TypeError("no error of ours, so a fault") as never);
    await expect(collect(endless, target)).rejects.toThrow("a fault");
    const leave = async (): Promise<void> => {
      for await (const _ of addEach(endless, new ScriptedTarget(), {})) break;
    };
    await expect(leave()).rejects.toThrow("disk");
  });

  test.each([[undefined], [null], [5], [{}], [() => {}]])("%s is refused as a source", async (source) => {
    await expect(collect(source as never, new ScriptedTarget())).rejects.toThrow("another iterable");
  });

  test("one whose iterator is none is refused as a source", async () => {
    for (const none of [undefined, null, 5]) {
      const source = { [Symbol.iterator]: () => none } as never;
      await expect(collect(source, new ScriptedTarget())).rejects.toThrow("another iterable");
    }
  });

  test("one of items that are all refused at once leaves room for timers, and can be ended", async () => {
    const end = new AbortController();
    setImmediate(() => end.abort(new Error("enough")));
    const source = (function* () {
      for (;;) yield 1;
    })();
    const target: AddEachTarget<number> = {
      add: () => {
        throw new PayloadError("bad");
      },
      hasRoom: () => true,
      change: () => Promise.resolve(),
    };
    let refused = 0;
    const visit = (): void => {
      // Rather than never.
      if (++refused === 1_000_000) throw new Error("it never ends");
    };
    await expect(visitEach(source, target, { signal: end.signal }, visit)).rejects.toThrow("enough");
  });

  test("a key that is a promise is refused with its item, and its end does not end the process", async () => {
    // biome-ignore lint/suspicious/useAwait: it is to reject
    const idempotencyKey = (async () => fail()) as unknown as () => string;
    const [result] = await collect([1], new ScriptedTarget(), { idempotencyKey });
    expect(result).toMatchObject({ kind: "failed", error: { code: "PAYLOAD" } });
  });
});
