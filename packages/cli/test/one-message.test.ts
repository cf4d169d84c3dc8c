import { Consumer } from "@redis-batch/consumer";
import { eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { expectEnd, expectSameContent, useCli } from "./cli.ts";

const redis = useServer();
const cli = useCli(redis);

/** A group in which each of these consumers holds one message → its id. The first is of Redis Batch, and alive. */
async function held(purpose: string, ...others: readonly string[]) {
  const stream = uniqueName(purpose);
  const { server } = redis;
  const ids: string[] = [];
  for (let n = 0; n <= others.length; n++) ids.push(String(await server.command("XADD", stream, "*", "n", n)));
  const consumer = new Consumer({
    redis: server.options,
    stream,
    group: "g",
    batchSize: 1,
    prefetch: 0,
    name: "alive",
  });
  const batch = await consumer.fetch();
  for (const name of others) await server.command("XREADGROUP", "GROUP", "g", name, "COUNT", 1, "STREAMS", stream, ">");
  const pending = async (): Promise<Record<string, string>> => {
    const reply = (await server.command("XPENDING", stream, "g", "-", "+", 100)) as [string, string][];
    return Object.fromEntries(reply.map(([id, owner]) => [id, owner]));
  };
  return { stream, ids, batch, pending, consumer, [Symbol.asyncDispose]: async () => void (await consumer.close()) };
}

describe("pending ack, release and dead-letter", () => {
  it("show the plan first, with who holds the message, the same as JSON", async () => {
    await using made = await held("plan");
    const { stream, ids, pending } = made;
    const args = ["pending", "ack", stream, "g", ids[0] ?? ""];
    const [table, json] = await Promise.all([cli.run(args), cli.json(args)]);
    expectEnd(table, 6, "Run again with --yes");
    expectSameContent(table.stdout, json);
    expect(json).toMatchObject({ consumer: "alive", held: true, deliveries: 1, done: false });
    expect(await pending()).toEqual({ [ids[0] ?? ""]: "alive" });
    expectEnd(await cli.run([...args, "--yes"]), 0);
    expect(await pending()).toEqual({});
    expectEnd(await cli.run([...args, "--yes"]), 5, "is not pending");
  });

  it("take nothing that a consumer may be at work on, unless they are told to", async () => {
    await using made = await held("held", "foreign");
    const { stream, ids, pending, batch } = made;
    const [mine = "", foreign = ""] = ids;
    for (const [id, why] of [
      [mine, "is alive and may be at work"],
      [foreign, "is not of Redis Batch"],
    ] as const) {
      for (const command of ["release", "dead-letter"]) {
        const end = await cli.run(["pending", command, stream, "g", id, "--yes"]);
        expectEnd(end, 6, why, "--take");
      }
    }
    expect(await pending()).toEqual({ [mine]: "alive", [foreign]: "foreign" });
    expectEnd(await cli.run(["pending", "release", stream, "g", foreign, "--take", "--yes"]), 0);
    const letter = await cli.json(["pending", "dead-letter", stream, "g", mine, "--take", "--yes", "--reason", "no"]);
    expect(letter).toMatchObject({ done: true, deadLetter: expect.stringMatching(/^\d+-\d+$/) as string });
    expect(await pending()).toEqual({ [foreign]: "rb:released" });
    // What its handler says of it has no effect.
    for (const message of batch) message.ack();
    const { letters } = await cli.json(["dead-letters", "list", stream, "g"]);
    expect(letters).toMatchObject([{ entryId: mine, reason: "rejected", error: "no", consumer: "alive" }]);
    expectEnd(await cli.run(["pending", "release", stream, "g", foreign, "--yes"]), 0, "It is released already");
  });

  it("release ends the delay of a message that is deferred in Redis", async () => {
    await using made = await held("later");
    const { stream, ids, pending, batch, consumer } = made;
    for (const message of batch) message.retry({ delayMs: 3_600_000 });
    await batch.settled();
    await eventually("it is deferred", async () => (await pending())[ids[0] ?? ""] === "rb:later");
    expectEnd(await cli.run(["pending", "release", stream, "g", ids[0] ?? "", "--yes"]), 0);
    let again = await consumer.fetch();
    while (again.size === 0) again = await consumer.fetch();
    expect([...again].map(({ id, deliveries }) => [id, deliveries])).toEqual([[ids[0], 2]]);
    again.ack();
    expect(await redis.server.command("ZCARD", `rb:{${stream}}:due:${stream}:g`)).toBe(0);
  });
});
