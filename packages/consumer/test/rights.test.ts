/** The rights of the README's "Rights" are enough, and what they leave out is done without. */
import { NoGroupError, PermissionError } from "@redis-batch/core";
import { aclRules } from "@redis-batch/core/internal/connection";
import { useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { numbers, useBench } from "./harness.ts";

const anyStream = (least: boolean): string =>
  aclRules("consumer", "orders", { least }).join(" ").replaceAll("orders", "stream-*");

const bench = useBench(
  useServer({
    users: [
      { name: "default", password: "all", rules: "~* &* +@all" },
      { name: "least", password: "least", rules: anyStream(true) },
      { name: "managing", password: "managing", rules: anyStream(false) },
    ],
    speakAs: "default",
  }),
);

function open(user: string) {
  const made = bench();
  const redis = { ...made.server.options, username: user, password: user };
  return { ...made, ...made.consumer({ redis, batchSize: 2, prefetch: 0, blockMs: 100, retry: { baseMs: 1 } }) };
}

describe("the least rights", () => {
  it("move a message to the dead letters", async () => {
    const { consumer, server, stream, group, add, pending } = open("least");
    await server.command("XGROUP", "CREATE", stream, group, 0, "MKSTREAM");
    await add(1);
    const batch = await consumer.fetch();
    batch.messages[0]?.deadLetter("bad");
    expect((await batch.settled()).deadLettered).toHaveLength(1);
    expect(await pending()).toEqual([]);
  });

  it("read, acknowledge, redeliver and release in a group that exists", async () => {
    const { consumer, server, stream, group, add, pending, events } = open("least");
    await server.command("XGROUP", "CREATE", stream, group, 0, "MKSTREAM");
    await add(1, 2);
    (await consumer.fetch()).messages[0]?.ack();
    const again = await consumer.fetch();
    expect(again.messages.map(({ deliveries }) => deliveries)).toEqual([2]);
    expect(await consumer.close()).toEqual({ released: 1, unconfirmedAcks: 0, abandoned: 0, nameRemoved: false });
    expect(await pending()).toHaveLength(1);
    expect(events.all("failed")).toEqual([]);
  });

  it("do not create a group: the consumer fails and names what is missing", async () => {
    const { consumer } = open("least");
    const error: unknown = await consumer.fetch().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PermissionError);
    expect(String(error)).toContain("xgroup");
    expect(NoGroupError.is(error)).toBe(false);
  });
});

describe("the optional rights", () => {
  it("create stream and group, and remove the name", async () => {
    const { consumer, add, names, events } = open("managing");
    expect((await consumer.fetch()).size).toBe(0);
    expect(events.all("groupCreated")).toHaveLength(1);
    await add(1, 2);
    const batch = await consumer.fetch();
    expect(numbers(batch)).toEqual([1, 2]);
    batch.ack();
    expect(await consumer.close()).toMatchObject({ nameRemoved: true });
    expect(await names()).toEqual([]);
  });
});
