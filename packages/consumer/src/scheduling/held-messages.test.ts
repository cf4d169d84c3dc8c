import { describe, expect, it } from "vitest";
import { makeMessage } from "../../test/make-messages.ts";
import { Signal } from "../signals.ts";
import { HeldMessages } from "./held-messages.ts";

type Value = Readonly<Record<string, string>>;

describe("a message that is delivered again while an earlier delivery of it waits in memory", () => {
  it("is offered once", () => {
    const held = new HeldMessages<Value>(new Signal());
    const earlier = makeMessage("1-1");
    held.admitRead(earlier.chunk);
    held.lineUpRead(earlier.chunk);
    const later = makeMessage("1-1", { deliveries: 2 });
    held.admit(later);
    held.lineUpDue([later]);
    expect([held.fresh, held.due]).toMatchObject([{ messages: 0, bytes: 0 }, { messages: 1 }]);
    expect(held.isCurrent(later)).toBe(true);
    expect(held.size).toBe(1);
  });

  it("stays held when the earlier one's outcome is refused, and goes when it is not", () => {
    const held = new HeldMessages<Value>(new Signal());
    const earlier = makeMessage("1-1");
    held.admit(earlier);
    held.beginAck(earlier);
    const later = makeMessage("1-1", { deliveries: 2 });
    held.admit(later);
    held.lineUpDue([later]);
    held.endAck(earlier, true);
    expect(held.isCurrent(later)).toBe(true);
    held.endAck(earlier, false);
    expect(held.due).toMatchObject({ messages: 0 });
    expect(held.size).toBe(0);
  });
});
