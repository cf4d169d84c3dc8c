import { Cluster, Command, Redis } from "ioredis";
import { Redis as RedisV5 } from "ioredis-v5";
import { expect, onTestFinished, test } from "vitest";
import { canWriteTogether } from "./write-together.ts";

/** With the socket of a connection, which it has not. */
function connected(): Redis {
  const client = new Redis({ lazyConnect: true });
  Reflect.set(client, "stream", { cork: () => {}, write: () => {} });
  return client;
}

/** Commands of an ioredis that has no such method. */
function commandsWithout(method: "resolve" | "reject" | "toWritable"): typeof Command {
  return class extends Command {
    constructor(name: string) {
      super(name);
      Reflect.set(this, method, undefined);
    }
  };
}

test("calls go out together over the ioredis that is known", () => {
  expect(canWriteTogether(connected())).toBe(true);
});

test.each(["resolve", "reject", "toWritable"] as const)(
  "each call goes by itself where commands have no %s",
  (method) => {
    expect(canWriteTogether(connected(), commandsWithout(method))).toBe(false);
  },
);

test.each(["stream", "sendCommand"])("each call goes by itself where the client has no %s", (member) => {
  const client = connected();
  Reflect.set(client, member, undefined);
  expect(canWriteTogether(client)).toBe(false);
});

test.each([
  ["a Cluster", () => new Cluster([], { lazyConnect: true })],
  ["another copy of ioredis", () => new RedisV5({ lazyConnect: true })],
])("each call goes by itself over %s", (_, make) => {
  const client = make();
  onTestFinished(() => client.disconnect());
  expect(canWriteTogether(client)).toBe(false);
});
