import { fieldsCodec } from "@redis-batch/core";
import { describe, expect, it } from "vitest";
import { Message } from "../message.ts";
import { HeldMessages } from "./held-messages.ts";

const nothing = (): void => {};
const keeper = { codec: fieldsCodec, ack: nothing, retry: nothing, deadLetter: nothing };

/** One delivery of a message. */
function delivered(id: `${number}-${number}`, deliveries = 1): Message<Readonly<Record<string, string>>> {
  const times = { arrivedAtMs: 0, heldSinceMs: 0, ripeAtMs: 0 };
  return new Message({ id, fields: [] }, { deliveries, ...times, epoch: 1 }, keeper);
}

describe("a message that is delivered again while an earlier delivery of it waits in memory", () => {
  it("is offered once", () => {
    const held = new HeldMessages<Readonly<Record<string, string>>>(nothing);
    const earlier = delivered("1-1");
    held.admitRead([earlier]);
    held.lineUpFresh([earlier]);
    const later = delivered("1-1", 2);
    held.admit(later);
    held.lineUpDue([later]);
    expect([held.fresh, held.due]).toMatchObject([{ messages: 0, bytes: 0 }, { messages: 1 }]);
    expect(held.isCurrent(later)).toBe(true);
    expect(held.size).toBe(1);
  });

  it("stays held when the earlier one's outcome is refused, and goes when it is not", () => {
    const held = new HeldMessages<Readonly<Record<string, string>>>(nothing);
    const earlier = delivered("1-1");
    held.admit(earlier);
    held.beginAck(earlier);
    const later = delivered("1-1", 2);
    held.admit(later);
    held.lineUpDue([later]);
    held.endAck(earlier, true);
    expect(held.isCurrent(later)).toBe(true);
    held.endAck(earlier, false);
    expect(held.due).toMatchObject({ messages: 0 });
    expect(held.size).toBe(0);
  });
});
