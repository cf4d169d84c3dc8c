import { describe, expect, test } from "vitest";
import { systemClock } from "../service/clock.ts";
import type { StreamClient } from "../stream-client.ts";
import { dependenciesOf } from "./dependencies.ts";
import { createRedisStreamClient } from "./redis-stream-client.ts";
import { isStandIn, STAND_IN } from "./stand-in.ts";

const clock = { nowMs: () => 7, setTimer: () => () => {} };
const client = {} as StreamClient;
const report = (): void => {};

/** As another installed copy of this package makes it: only the brand is the same. */
const foreign = {
  [Symbol.for("@redis-batch/stand-in") as typeof STAND_IN]: {
    clock,
    createClient: (options: { readonly report?: unknown }) => (options.report === report ? client : undefined),
  },
};

describe("a stand-in for Redis", () => {
  test("is known by its brand, and makes the clients", () => {
    expect(isStandIn(foreign)).toBe(true);
    expect(createRedisStreamClient({ redis: foreign, blockMs: 0, report })).toBe(client);
  });

  test("gives a service its clock; any other source leaves it the system's", () => {
    expect(dependenciesOf(foreign).clock).toBe(clock);
    expect(dependenciesOf("redis://localhost").clock).toBe(systemClock);
  });

  test.each([7, null, {}, { clock }])("that holds %o is of another version", (held) => {
    const redis = { [STAND_IN]: held as object };
    const refused = expect.objectContaining({
      code: "CONFIG",
      message: expect.stringContaining("another version") as string,
    }) as Error;
    expect(() => createRedisStreamClient({ redis, blockMs: 0 })).toThrow(refused);
    expect(() => dependenciesOf(redis)).toThrow(refused);
  });

  test.each(["redis://localhost", {}, null, undefined, 7])("is not %o", (source) => {
    expect(isStandIn(source)).toBe(false);
  });
});
