import { describe, expect, it } from "vitest";
import type { MessageState, Offer } from "../message.ts";
import { KeyOrder } from "./key-order.ts";

/** A consumer's batches, as far as the order of keys sees them. */
function play() {
  const order = new KeyOrder();
  const offer = (...named: readonly string[]) => {
    const by: Offer = { mode: "loop", atMs: 0 };
    const messages = named.map((name) => ({
      ...{ id: `1-${name.slice(1)}`, key: name.charAt(0), offer: by, hasSucceeded: false },
      state: "offered" as MessageState,
    }));
    order.open(by, messages);
    const of = (name: string) => {
      const message = messages[named.indexOf(name)];
      if (message === undefined) throw new Error(`${name} is not in the batch`);
      return message;
    };
    return {
      ack: (name: string) => order.noteSuccess(of(name)),
      fail: (name: string) => {
        const { id, key } = of(name);
        order.put(id, key, { isParked: true, offer: by });
        order.noteFailure(id);
      },
      end: () => order.close(by),
    };
  };
  const proven = (name: string): number => {
    const first = order.inLine(`1-${name.slice(1)}`);
    return first === undefined ? 0 : order.provenFailuresOf(first);
  };
  return { order, offer, proven };
}

describe("a failure", () => {
  it("is proven by an acknowledgement of what was offered afterwards, and by nothing else", () => {
    const { offer, proven } = play();
    const slow = offer("b1");
    const failing = offer("a2", "c3");
    failing.fail("a2");
    // Neither of them tells whether the sink was there when it failed.
    failing.ack("c3");
    failing.end();
    slow.ack("b1");
    slow.end();
    expect(proven("a2")).toBe(0);
    offer("d4").ack("d4");
    expect(proven("a2")).toBe(1);
    offer("e5").ack("e5");
    expect(proven("a2")).toBe(1);
  });

  it("is one of several only if others succeeded after each of them", () => {
    const { offer, proven } = play();
    const fail = () => {
      const batch = offer("a1");
      batch.fail("a1");
      batch.end();
    };
    fail();
    fail();
    expect(proven("a1")).toBe(0);
    offer("b2").ack("b2");
    fail();
    expect(proven("a1")).toBe(1);
    offer("b3").ack("b3");
    expect(proven("a1")).toBe(2);
  });

  it("says nothing about a message behind another one of its key", () => {
    const { offer, proven } = play();
    const batch = offer("a1", "a2");
    batch.fail("a1");
    batch.fail("a2");
    batch.end();
    offer("b3").ack("b3");
    expect([proven("a1"), proven("a2")]).toEqual([1, 0]);
  });
});

describe("a proof that the sink is there", () => {
  it("is wanted once all that block others have failed, or some and their time is up", () => {
    const { order, offer } = play();
    for (const [id, key] of [
      ["1-2", "a"],
      ["1-4", "b"],
    ] as const)
      order.put(id, key, { isParked: true });
    const batch = offer("a1", "b3");
    batch.fail("a1");
    order.put("1-3", "b", { isParked: true });
    expect(order.isProofWanted).toBe(false);
    order.wantProof();
    expect(order.isProofWanted).toBe(true);
    offer("c5").ack("c5");
    expect(order.isProofWanted).toBe(false);
  });
});

describe("a key of which a message was given up", () => {
  it("is bad until one of its messages is acknowledged", () => {
    const { order, offer } = play();
    const line = order.put("1-1", "a", { isParked: true });
    order.noteGivenUp(line);
    expect(order.isBad(line)).toBe(true);
    offer("b2").ack("b2");
    expect(order.isBad(line)).toBe(true);
    offer("a3").ack("a3");
    expect(order.isBad(line)).toBe(false);
  });
});
