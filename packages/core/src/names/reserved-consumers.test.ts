import { expect, test } from "vitest";
import { SCRIPTS } from "../lua/scripts.generated.ts";
import { PAUSE_FIELD } from "../wire/group-pause.ts";
import { RATE_FIELD } from "../wire/rate-limit.ts";
import { isReservedConsumer, LATER, REDRIVE_CONSUMER, RELEASED } from "./reserved-consumers.ts";

test("tells the names that no process runs under from those of consumers", () => {
  expect([RELEASED, LATER, REDRIVE_CONSUMER].map(isReservedConsumer)).toEqual([true, true, true]);
  expect(["rb:", "rb:released2", "released", "", "worker-1"].map(isReservedConsumer)).toEqual(Array(5).fill(false));
});

test("the scripts mean the same names", () => {
  const namesIn = (lua: string) => [...new Set([...lua.matchAll(/'(rb:[^']*)'/g)].map(([, name = ""]) => name))];
  expect(namesIn(SCRIPTS.take)).toEqual([RELEASED]);
  expect(namesIn(SCRIPTS.redrive)).toEqual([RELEASED]);
  expect(namesIn(SCRIPTS.removeIfEmpty)).toEqual([RELEASED, LATER, "rb:alone"]);
  // The others are no consumers, but fields of the registry: the one that has the group for itself, what its consumers agree on, the
  // pause and the rate.
  expect(new Set(namesIn(Object.values(SCRIPTS).join("\n")))).toEqual(
    new Set([RELEASED, LATER, "rb:alone", "rb:beside", PAUSE_FIELD, RATE_FIELD, "rb:rate-paid"]),
  );
});
