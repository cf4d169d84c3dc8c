import { addEntry, ManualClock } from "@redis-batch/test-support";
import { createMemoryServer } from "@redis-batch/testing/internal";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RELEASED } from "../names/reserved-consumers.ts";
import { DeadLetters } from "./dead-letters.ts";

const ADDRESS = { stream: "orders", group: "billing" } as const;
const CONSUMER = "c1";

/** One thing that happens, and which of the existing messages or letters it happens to. */
const step = fc.record({
  what: fc.constantFrom(
    "add",
    "read",
    "ack",
    "dead-letter",
    "redrive",
    "redrive or add",
    "discard",
    "trim",
    "take over",
  ),
  which: fc.nat(),
});

test("whatever happens, a message that was neither acknowledged nor discarded is waiting, pending or a dead letter", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const redis = createMemoryServer({ clock: new ManualClock() });
      const client = redis.client();
      await client.connect(["commands", "reader"], { timeoutMs: 1_000 });
      await client.xgroupCreate({ ...ADDRESS, position: "start" });
      await using deadLetters = new DeadLetters(
        { redis: "redis://nowhere", ...ADDRESS },
        { createClient: () => redis.client() },
      );
      const pending = async (consumer?: string) => {
        const range = { ...ADDRESS, from: "-", to: "+", count: 1_000 };
        return (await client.xpendingRange(consumer === undefined ? range : { ...range, consumer })).map(
          ({ id }) => id,
        );
      };
      const letters = async () => (await deadLetters.list({ limit: 1_000 })).letters;
      /** The number each message carries, by the id of its entry, and those that must be somewhere. */
      const numbers = new Map<string, string>();
      const open = new Set<string>();
      const pick = <Item>(items: readonly Item[], which: number): Item | undefined => items[which % items.length];

      for (const { what, which } of steps) {
        const own = pick(await pending(CONSUMER), which);
        const letter = pick(await letters(), which);
        if (what === "add") {
          const number = `${numbers.size}`;
          const id = await addEntry(client, { stream: ADDRESS.stream, fields: ["n", number] });
          numbers.set(id, number);
          open.add(number);
        } else if (what === "read") {
          await client.xreadgroup({ ...ADDRESS, consumer: CONSUMER, count: 2 });
        } else if (what === "ack" && own !== undefined) {
          await client.ackOwned({ ...ADDRESS, consumer: CONSUMER, ids: [own] });
          open.delete(numbers.get(own) ?? "");
        } else if (what === "dead-letter" && own !== undefined) {
          await client.moveToDeadLetters({ ...ADDRESS, consumer: CONSUMER, id: own, reason: "rejected", error: "" });
        } else if ((what === "redrive" || what === "redrive or add") && letter !== undefined) {
          const ifTrimmed = what === "redrive" ? "skip" : "add";
          const [end] = (await deadLetters.redrive({ ids: [letter.id], ifTrimmed })).letters;
          if (end?.kind === "added") numbers.set(end.entryId, letter.fields["n"] ?? "");
        } else if (what === "discard" && letter !== undefined) {
          await deadLetters.discard({ ids: [letter.id] });
          open.delete(letter.fields["n"] ?? "");
        } else if (what === "trim" && letter !== undefined) {
          // Nobody but the dead letters needs this entry any more.
          await client.xdel({ stream: ADDRESS.stream, ids: [letter.entryId] });
        } else if (what === "take over") {
          const ids = await pending(RELEASED);
          const handOver = { from: RELEASED, to: CONSUMER, foreignIdleMs: 600_000, toUnregistered: true };
          await client.handOver({ ...ADDRESS, ...handOver, ids });
        }
        const { lastDeliveredId = "0-0" } = (await client.xinfoGroups({ stream: ADDRESS.stream }))[0] ?? {};
        const waiting = await client.xrange({
          stream: ADDRESS.stream,
          from: `(${lastDeliveredId}`,
          to: "+",
          count: 1_000,
        });
        const somewhere = [
          ...(await letters()).map(({ fields }) => fields["n"]),
          ...[...(await pending()), ...waiting.map(({ id }) => id)].map((id) => numbers.get(id)),
        ].map(String);
        // Once each: neither lost nor doubled.
        expect(inOrder(somewhere)).toEqual(inOrder([...open]));
      }
    }),
  );
});

const inOrder = (numbers: readonly string[]): string[] =>
  numbers.toSorted((left, right) => Number(left) - Number(right));
