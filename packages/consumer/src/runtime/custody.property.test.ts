import { type EntryId, fieldsCodec } from "@redis-batch/core";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { Message, type MessageKeeper } from "../message.ts";
import { Custody } from "./custody.ts";

type Value = Readonly<Record<string, string>>;

const keeper: MessageKeeper<Value> = { codec: fieldsCodec, ack: () => {}, retry: () => {}, deadLetter: () => {} };
const TIMES = { arrivedAtMs: 0, heldSinceMs: 0, ripeAtMs: 0 };
const idOf = (place: number): EntryId => `1-${place}`;

const place = fc.integer({ min: 1, max: 12 });
const anyStep = fc.oneof(
  fc.record({ kind: fc.constant("read" as const), from: place, count: fc.integer({ min: 0, max: 5 }) }),
  fc.record({
    kind: fc.constantFrom("admit", "adopt", "reserve", "look", "dismiss", "end", "putOff", "resume", "state"),
    place,
  }),
);

/** What is held, in the plainest way: by id. A message that was put off is known by the object it was. */
class Model {
  readonly held = new Map<EntryId, { message: Message<Value> | undefined; isDeferred: boolean }>();
  readonly seen: Message<Value>[] = [];

  admit(message: Message<Value>): void {
    this.held.set(message.id, { message, isDeferred: false });
    this.seen.push(message);
  }
}

it("holds what a plain list by id would hold, whatever comes in reads or alone, and whatever leaves", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
      const custody = new Custody<Value>(() => {});
      const model = new Model();
      const wrong: boolean[] = [];
      const make = (id: EntryId): Message<Value> =>
        new Message({ id, fields: [] }, { deliveries: 1, ...TIMES, epoch: 1 }, keeper);
      for (const step of steps) {
        if ("from" in step) {
          const read = Array.from({ length: step.count }, (_, index) => make(idOf(step.from + index)));
          custody.admitRead(read);
          for (const message of read) model.admit(message);
          continue;
        }
        const id = idOf(step.place);
        const known = model.held.get(id);
        const message = known?.message;
        switch (step.kind) {
          case "admit": {
            const alone = make(id);
            custody.admit(alone);
            model.admit(alone);
            break;
          }
          case "adopt":
            custody.putOffUnseen(id, 2, 0);
            model.held.set(id, { message: undefined, isDeferred: true });
            break;
          case "reserve":
            custody.reserve(id);
            model.held.set(id, { message: undefined, isDeferred: false });
            break;
          case "look":
            wrong.push(custody.holds(id) !== (known !== undefined));
            wrong.push(custody.messageOf(id) !== (known?.isDeferred ? undefined : message));
            break;
          case "dismiss":
            custody.dismiss(id);
            model.held.delete(id);
            break;
          case "end": {
            // Of any age: an acknowledgement that was on its way when the message was delivered anew.
            const any = model.seen.findLast((seen) => seen.id === id);
            if (any === undefined) break;
            custody.dismissMessage(any);
            model.held.delete(id);
            break;
          }
          case "putOff":
            if (message === undefined || known?.isDeferred) break;
            custody.putOff(message, { dueAtMs: 1, ripeAtMs: 1 });
            model.held.set(id, { message, isDeferred: true });
            break;
          case "resume":
            if (message === undefined || !known?.isDeferred) break;
            custody.resume(message);
            model.held.set(id, { message, isDeferred: false });
            break;
          default:
            if (message !== undefined && !known?.isDeferred) message.state = "acking";
        }
        wrong.push(custody.size !== model.held.size);
        wrong.push(custody.deferred !== [...model.held.values()].filter(({ isDeferred }) => isDeferred).length);
        for (const seen of model.seen)
          wrong.push(custody.isCurrent(seen) !== (model.held.get(seen.id)?.message === seen));
      }
      expect(wrong).not.toContain(true);
      const { neverOffered, offered } = custody.inventory();
      const isAcking = (id: EntryId): boolean => {
        const known = model.held.get(id);
        return known?.isDeferred === false && known.message?.state === "acking";
      };
      const isReserved = (id: EntryId): boolean => {
        const known = model.held.get(id);
        return known?.isDeferred === false && known.message === undefined;
      };
      const ids = [...model.held.keys()];
      expect([...neverOffered, ...offered].toSorted()).toEqual(ids.filter((id) => !isAcking(id)).toSorted());
      expect(custody.ids().toSorted()).toEqual(ids.filter((id) => !isAcking(id) && !isReserved(id)).toSorted());
      custody.clear();
      expect(custody.size).toBe(0);
      for (const seen of model.seen) expect(custody.isCurrent(seen)).toBe(false);
    }),
    { numRuns: 400 },
  );
});
