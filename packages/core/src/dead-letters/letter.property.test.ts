import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readLetter } from "./letter.ts";

// Names of ours among the message's own are what could go wrong.
const part = fc.oneof(
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom("dead.id", "dead.consumer", "dead.deliveries", "dead.reason", "dead.error", "dead.at", "1-1", "")
    .map((text) => Buffer.from(text)),
);
const pairs = fc.array(fc.tuple(part, part), { minLength: 1, maxLength: 20 });

test("a message's own fields come back byte for byte, whatever they are called", () => {
  fc.assert(
    fc.property(pairs, fc.string(), fc.string(), fc.nat(), (own, reason, error, deliveries) => {
      const history = ["dead.id", "1-2", "dead.consumer", "c", "dead.deliveries", `${deliveries}`];
      const fields = [
        ...own.flat(),
        ...[...history, "dead.reason", reason, "dead.error", error, "dead.at", "5"].map((text) => Buffer.from(text)),
      ];
      const letter = readLetter({ id: "3-4", fields });
      expect([...(letter?.entries() ?? [])]).toEqual(own);
      expect(letter?.deliveries).toBe(deliveries);
      expect(letter?.reason).toBe(Buffer.from(reason).toString());
    }),
  );
});
