import { deferred, ManualClock } from "@redis-batch/test-support";
import { describe, expect, test } from "vitest";
import { ConnectionError, PermissionError, type RedisBatchError, ServerStateError } from "../errors/errors.ts";
import type { AddOutcome, WaitForReplicas } from "../stream-client.ts";
import type { AddOnceOptions, AddOnceResult } from "../wire/atomic/add-once.ts";
import type { WaitOptions } from "../wire/wait.ts";
import type { XaddOptions } from "../wire/xadd.ts";
import type { ProducerEvent } from "./events.ts";
import { type Ending, Sender } from "./sender.ts";

/** A server that is there or not, and answers as it is told. */
class ScriptedServer {
  /** Every command in the order in which it was sent: the fields of one XADD or addOnce after the other. */
  readonly sent: string[][] = [];
  readonly #clock: ManualClock;
  #waiting: (() => void)[] = [];
  #isUp = false;
  #refusal: RedisBatchError | undefined;
  answer: (text: string) => AddOutcome = (text) => `${text.length}-1`;
  replicas: () => Promise<number> = async () => 2;
  forbidsWait = false;
  checks = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  up(): void {
    this.#isUp = true;
    for (const look of this.#waiting) look();
  }

  refuse(error: RedisBatchError): void {
    this.#refusal = error;
    for (const look of this.#waiting) look();
  }

  connect(
    _roles: unknown,
    { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal | undefined },
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.#refusal !== undefined) reject(this.#refusal);
        else if (this.#isUp) resolve();
      };
      this.#clock.setTimer(timeoutMs, () => reject(new ConnectionError("nobody there", { outcome: "not-sent" })));
      signal?.addEventListener("abort", () => reject(signal.reason));
      this.#waiting.push(look);
      look();
    });
  }

  async xaddMany(items: readonly XaddOptions[]): Promise<readonly AddOutcome[]> {
    const texts = items.map(({ fields }) => String(fields[1]));
    this.sent.push(texts);
    return texts.map((text) => this.answer(text));
  }

  async addOnce({ fields, idempotencyKey }: AddOnceOptions): Promise<AddOnceResult> {
    this.sent.push([`${idempotencyKey}=${String(fields[1])}`]);
    const outcome = this.answer(String(fields[1]));
    if (typeof outcome !== "string") throw outcome;
    return { id: outcome, added: true };
  }

  followAdds(): WaitForReplicas {
    return ({ count }) => {
      this.sent.push([`WAIT ${count}`]);
      return this.replicas();
    };
  }

  async assertMayWait(): Promise<void> {
    this.checks++;
    if (this.forbidsWait) throw new PermissionError("no wait", { command: "wait", refusal: "right" });
  }
}

function setUp(options: { readonly waitForReplicas?: WaitOptions } = {}) {
  const clock = new ManualClock();
  const server = new ScriptedServer(clock);
  const events: ProducerEvent[] = [];
  const sender = new Sender({
    ...{ client: server, clock, random: () => 1, stream: "orders", trim: undefined, rememberKeysMs: 1_000 },
    waitForReplicas: options.waitForReplicas,
    beforeFirst: undefined,
    notify: (event) => events.push(event),
  });
  /** Sends, and keeps how it ended. */
  const send = (text: string, { key, waitMs = 1_000, signal }: SendOptions = {}) =>
    endOf((ending) => sender.send({ fields: ["text", text], idempotencyKey: key }, waitMs, signal, ending));
  return { clock, server, events, sender, send };
}

interface SendOptions {
  readonly key?: string;
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
}

/** What a message was confirmed or refused with, once it has been. */
function endOf(start: (ending: Ending<AddOnceResult>) => void): { value?: unknown } {
  const end: { value?: unknown } = {};
  const keep = (value: unknown): void => {
    end.value = value;
  };
  start({ confirm: keep, refuse: keep });
  return end;
}

const notSent = new ConnectionError("not writable", { outcome: "not-sent" });

describe("with a connection", () => {
  test("messages of one turn go out together, in order, each with its own end", async () => {
    const { clock, server, events, send } = setUp();
    server.up();
    server.answer = (text) => (text === "bb" ? new ServerStateError("full", { state: "OOM" }) : `${text.length}-1`);
    const ends = [send("a"), send("bb"), send("ccc")];
    await clock.settle();
    expect(server.sent).toEqual([["a", "bb", "ccc"]]);
    expect(ends.map(({ value }) => value)).toEqual([
      { id: "1-1", added: true },
      expect.objectContaining({ state: "OOM" }),
      { id: "3-1", added: true },
    ]);
    expect(events).toEqual([{ type: "added", added: 2, failed: 1, elapsedMs: 0 }]);
  });

  test("many messages of one turn go out in parts that end for themselves", async () => {
    const { clock, server, events, send } = setUp();
    server.up();
    const texts = Array.from({ length: 1_200 }, (_, n) => `${n}`);
    const ends = texts.map((text) => send(text));
    await clock.settle();
    expect(server.sent.map(({ length }) => length)).toEqual([500, 500, 200]);
    expect(server.sent.flat()).toEqual(texts);
    expect(ends.every(({ value }) => value !== undefined)).toBe(true);
    expect(events.map((event) => event.type === "added" && event.added)).toEqual([500, 500, 200]);
  });

  test("one with an idempotency key goes out at its place among the others", async () => {
    const { clock, server, send } = setUp();
    server.up();
    send("a");
    send("b");
    send("c", { key: "k1" });
    send("d", { key: "k2" });
    send("e");
    await clock.settle();
    expect(server.sent).toEqual([["a", "b"], ["k1=c"], ["k2=d"], ["e"]]);
  });

  test("an outcome that is unknown ends the message; it is not sent again", async () => {
    const { clock, server, send } = setUp();
    server.up();
    server.answer = () => new ConnectionError("cut", { outcome: "unknown" });
    const end = send("a");
    await clock.advance(10_000);
    expect(end.value).toMatchObject({ outcome: "unknown" });
    expect(server.sent).toEqual([["a"]]);
  });
});

describe("without a connection", () => {
  test("messages wait in order and go out together when it is there", async () => {
    const { clock, server, send } = setUp();
    const ends = [send("a"), send("b", { key: "k" })];
    await clock.advance(500);
    ends.push(send("c"));
    await clock.settle();
    expect(server.sent).toEqual([]);
    server.up();
    await clock.settle();
    expect(server.sent).toEqual([["a"], ["k=b"], ["c"]]);
    expect(ends).toEqual(ends.map(() => ({ value: { id: "1-1", added: true } })));
  });

  test("each message waits as long as it may, whichever came first", async () => {
    const { clock, send } = setUp();
    const [long, short] = [send("a", { waitMs: 1_000 }), send("b", { waitMs: 200 })];
    await clock.advance(199);
    expect(short.value).toBeUndefined();
    await clock.advance(1);
    expect(short.value).toMatchObject({
      outcome: "not-sent",
      message: expect.stringContaining("nobody there") as string,
    });
    await clock.advance(799);
    expect(long.value).toBeUndefined();
    await clock.advance(1);
    expect(long.value).toMatchObject({ outcome: "not-sent" });
  });

  test("one that may not wait ends at once", async () => {
    const { clock, send } = setUp();
    const end = send("a", { waitMs: 0 });
    await clock.advance(0);
    expect(end.value).toMatchObject({ outcome: "not-sent" });
  });

  test("a refused login ends all of them", async () => {
    const { clock, server, send } = setUp();
    const ends = [send("a"), send("b")];
    server.refuse(new PermissionError("wrong password", { command: "auth" }));
    await clock.settle();
    expect(ends.map(({ value }) => value)).toEqual(Array(2).fill(expect.objectContaining({ code: "PERMISSION" })));
  });

  test("an abort takes a message back, and only that one", async () => {
    const { clock, server, send } = setUp();
    const abort = new AbortController();
    const ends = [send("a"), send("b", { signal: abort.signal }), send("c")];
    await clock.settle();
    abort.abort("changed my mind");
    await clock.settle();
    expect(ends[1]?.value).toBe("changed my mind");
    server.up();
    await clock.settle();
    expect(server.sent).toEqual([["a", "c"]]);
  });
});

describe("a connection that cannot be written to", () => {
  test("gives the messages back to their places, and time passes before the next attempt", async () => {
    const { clock, server, events, send } = setUp();
    server.up();
    server.answer = () => notSent;
    const ends = [send("a"), send("b", { key: "k" }), send("c")];
    await clock.settle();
    ends.push(send("d"));
    await clock.settle();
    expect(server.sent).toEqual([["a"], ["k=b"], ["c"]]);
    server.answer = (text) => `${text.length}-1`;
    await clock.advanceToNext();
    expect(server.sent.slice(3)).toEqual([["a"], ["k=b"], ["c", "d"]]);
    expect(ends).toEqual(ends.map(() => ({ value: { id: "1-1", added: true } })));
    expect(events.map((event) => (event.type === "added" ? event.added : 0))).toEqual([1, 1, 2]);
  });

  test("is probed with one message at a time, at growing intervals, until one gets through", async () => {
    const { clock, server, send } = setUp();
    server.up();
    server.answer = () => notSent;
    const ends = ["a", "b", "c"].map((text) => send(text, { waitMs: 60_000 }));
    await clock.settle();
    const beganAtMs = clock.nowMs();
    const sentAtMs: number[] = [];
    while (sentAtMs.length < 8) {
      const before = server.sent.length;
      await clock.advanceToNext();
      if (server.sent.length > before) sentAtMs.push(clock.nowMs());
    }
    expect(server.sent).toEqual([["a", "b", "c"], ...sentAtMs.map(() => ["a"])]);
    const pausesMs = sentAtMs.map((atMs, index) => atMs - (sentAtMs[index - 1] ?? beganAtMs));
    expect(pausesMs).toEqual([10, 20, 40, 80, 160, 320, 500, 500]);
    server.answer = () => "1-1";
    await clock.advanceToNext();
    expect(server.sent.slice(9)).toEqual([["a"], ["b", "c"]]);
    expect(ends).toEqual(ends.map(() => ({ value: { id: "1-1", added: true } })));
  });

  test("ends each message when its own time is over, behind a probe that hangs as well", async () => {
    const { clock, server, send } = setUp();
    server.up();
    server.answer = () => notSent;
    const [first, second] = [send("a", { waitMs: 10_000 }), send("b", { waitMs: 100 })];
    await clock.settle();
    server.xaddMany = () => new Promise(() => {});
    await clock.advance(99);
    const late = send("c", { waitMs: 0 });
    await clock.settle();
    expect(late.value).toMatchObject({ outcome: "not-sent" });
    expect(second.value).toBeUndefined();
    await clock.advance(1);
    expect(second.value).toMatchObject({ outcome: "not-sent" });
    await clock.advance(20_000);
    expect(first.value).toBeUndefined();
  });

  test.each([
    ["CLUSTERDOWN", true],
    ["READONLY", true],
    ["LOADING", true],
    ["OOM", false],
    ["MISCONF", false],
  ])("a message that is refused with %s is queued: %s", async (state, isQueued) => {
    const { clock, server, send } = setUp();
    server.up();
    server.answer = () => new ServerStateError("refused", { state });
    const [end, keyed] = [send("a"), send("b", { key: "k" })];
    await clock.settle();
    expect(end.value === undefined).toBe(isQueued);
    // Its caller decides.
    expect(keyed.value).toMatchObject({ state });
    await clock.advance(1_000);
    expect(end.value).toMatchObject(isQueued ? { outcome: "not-sent", cause: { state } } : { state });
  });

  test("ends a message whose time is over", async () => {
    const { clock, server, send } = setUp();
    server.up();
    server.answer = () => notSent;
    const end = send("a", { waitMs: 0 });
    await clock.settle();
    expect(end.value).toBe(notSent);
  });

  test("ends a message that was aborted on the way, with the abort's reason: it was not sent", async () => {
    const { clock, server, send } = setUp();
    server.up();
    const abort = new AbortController();
    server.answer = () => {
      abort.abort("too late");
      return notSent;
    };
    const end = send("a", { signal: abort.signal });
    await clock.settle();
    expect(end.value).toBe("too late");
  });
});

describe("when it is stopped", () => {
  test("queued messages end, not sent, and new ones are refused", async () => {
    const { clock, server, sender, send } = setUp();
    const before = send("a");
    await clock.settle();
    sender.stop();
    const after = send("b");
    server.up();
    await clock.advance(5_000);
    expect([before.value, after.value]).toEqual(Array(2).fill(expect.objectContaining({ outcome: "not-sent" })));
    expect(server.sent).toEqual([]);
  });

  test("what turns out not to have been sent is not sent any more", async () => {
    const { clock, server, sender, send } = setUp();
    server.up();
    server.answer = () => {
      sender.stop();
      return notSent;
    };
    const end = send("a");
    await clock.advance(5_000);
    expect(end.value).toBe(notSent);
    expect(server.sent).toEqual([["a"]]);
  });
});

describe("with waitForReplicas", () => {
  const waitForReplicas = { count: 2, timeoutMs: 100 };

  test("one WAIT follows what was sent together, and nothing is confirmed before its reply", async () => {
    const { clock, server, send } = setUp({ waitForReplicas });
    server.up();
    const reply = deferred<number>();
    server.replicas = () => reply.promise;
    const ends = [send("a"), send("b", { key: "k" }), send("c")];
    await clock.settle();
    expect(server.sent).toEqual([["a"], ["k=b"], ["c"], ["WAIT 2"]]);
    expect(ends.map(({ value }) => value)).toEqual([undefined, undefined, undefined]);
    reply.resolve(2);
    await clock.settle();
    expect(ends.map(({ value }) => value)).toEqual(["1-1", "1-1", "1-1"].map((id) => ({ id, added: true })));
  });

  test("messages that come while replicas are awaited go out together afterwards", async () => {
    const { clock, server, send } = setUp({ waitForReplicas });
    server.up();
    const reply = deferred<number>();
    server.replicas = () => reply.promise;
    send("a");
    await clock.settle();
    for (const text of ["b", "c", "d"]) {
      send(text);
      await clock.settle();
    }
    reply.resolve(2);
    await clock.settle();
    expect(server.sent).toEqual([["a"], ["WAIT 2"], ["b", "c", "d"], ["WAIT 2"]]);
  });

  test("messages that come while replicas are awaited wait no longer than they may", async () => {
    const { clock, server, send } = setUp({ waitForReplicas });
    server.up();
    const reply = deferred<number>();
    server.replicas = () => reply.promise;
    const first = send("first");
    await clock.advance(0);
    const [short, long] = [send("short", { waitMs: 1_000 }), send("long", { waitMs: 5_000 })];
    await clock.advance(999);
    expect(short.value).toBeUndefined();
    await clock.advance(1);
    expect(short.value).toMatchObject({ outcome: "not-sent", message: expect.stringContaining("replicas") as string });
    reply.resolve(2);
    await clock.advance(0);
    expect(first.value).toMatchObject({ id: "5-1" });
    expect(long.value).toMatchObject({ id: "4-1" });
    expect(server.sent).toEqual([["first"], ["WAIT 2"], ["long"], ["WAIT 2"]]);
  });

  test("too few replicas leave what was added in doubt; what was refused is told as it is", async () => {
    const { clock, server, events, send } = setUp({ waitForReplicas });
    server.up();
    server.replicas = async () => 1;
    server.answer = (text) => (text === "bb" ? new ServerStateError("full", { state: "OOM" }) : `${text.length}-1`);
    const ends = [send("a"), send("bb")];
    await clock.settle();
    expect(ends[0]?.value).toMatchObject({ code: "CONNECTION", outcome: "unknown" });
    expect(String(ends[0]?.value)).toContain("added as 1-1, but 1 of 2 replicas confirmed it within 100 ms");
    expect(ends[1]?.value).toMatchObject({ state: "OOM" });
    expect(events).toEqual([{ type: "added", added: 0, failed: 2, elapsedMs: 0 }]);
  });

  test("a WAIT that fails, in whatever way, leaves what was added in doubt: it is not sent again", async () => {
    for (const error of [notSent, new PermissionError("no", { command: "wait", refusal: "right" }), new Error("odd")]) {
      const { clock, server, send } = setUp({ waitForReplicas });
      server.up();
      server.replicas = async () => {
        throw error;
      };
      const end = send("a");
      await clock.settle();
      expect(end.value).toMatchObject({ code: "CONNECTION", outcome: "unknown", cause: error });
      expect(server.sent).toEqual([["a"], ["WAIT 2"]]);
    }
  });

  test("without the right to wait nothing is added; it is asked again with the next add", async () => {
    const { clock, server, send } = setUp({ waitForReplicas });
    server.up();
    server.forbidsWait = true;
    const ends = [send("a"), send("b")];
    await clock.settle();
    expect(ends.map(({ value }) => value)).toMatchObject([{ code: "PERMISSION" }, { code: "PERMISSION" }]);
    expect(server.sent).toEqual([]);
    server.forbidsWait = false;
    for (const text of ["c", "d"]) {
      send(text);
      await clock.settle();
    }
    expect(server.sent).toEqual([["c"], ["WAIT 2"], ["d"], ["WAIT 2"]]);
    expect(server.checks).toBe(2);
  });

  test("nothing is awaited when nothing was added", async () => {
    const { clock, server, send } = setUp({ waitForReplicas });
    server.up();
    server.answer = () => new ServerStateError("full", { state: "OOM" });
    send("a");
    await clock.settle();
    expect(server.sent).toEqual([["a"]]);
  });
});
