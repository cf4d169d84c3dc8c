import { Cluster, Command, Redis } from "ioredis";
import { Redis as RedisV5 } from "ioredis-v5";
import { expect, onTestFinished, test } from "vitest";
import { mayBeBytes } from "./call-with-bytes.ts";

test.each([
  ["a single client", () => new Redis({ lazyConnect: true }), true],
  ["a Cluster", () => new Cluster([], { lazyConnect: true }), true],
  ["another copy of ioredis", () => new RedisV5({ lazyConnect: true }), false],
] as const)("commands over %s may be bytes: %#", (_, make, may) => {
  const client = make();
  onTestFinished(() => client.disconnect());
  expect(mayBeBytes(client)).toBe(may);
});

test("no command is bytes where commands are not asked for them", () => {
  class Other extends Command {
    constructor(name: string) {
      super(name);
      Reflect.set(this, "toWritable", undefined);
    }
  }
  expect(mayBeBytes(new Redis({ lazyConnect: true }), Other)).toBe(false);
});
