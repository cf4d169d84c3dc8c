import { Consumer, DeadLetters } from "@redis-batch/consumer";
import { eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { expectEnd, expectSameContent, useCli } from "./cli.ts";

const redis = useServer();
const cli = useCli(redis);

async function filled(purpose: string, count: number): Promise<{ readonly stream: string; readonly ids: string[] }> {
  const stream = uniqueName(purpose);
  const ids: string[] = [];
  for (let n = 0; n < count; n++) ids.push(String(await redis.server.command("XADD", stream, "*", "n", n)));
  return { stream, ids };
}

async function groupsOf(stream: string): Promise<string[]> {
  const reply = (await redis.server.command("XINFO", "GROUPS", stream)) as unknown[][];
  return reply.map((info) => String(info[1]));
}

/** The plan changes nothing, in table and JSON alike; then it is carried out. */
async function planned(args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const [table, json] = await Promise.all([cli.run(args), cli.json([...args, "--dry-run"])]);
  expectEnd(table, 6, "Run again with --yes to apply.");
  expectSameContent(table.stdout, json);
  expect(json["done"]).toBe(false);
  return json;
}

/** The plan says already what forbids it, and changes nothing; `--yes` is refused for the same reason. */
async function refused(
  args: readonly string[],
  ...says: readonly string[]
): Promise<Readonly<Record<string, unknown>>> {
  const [table, json, applied] = await Promise.all([
    cli.run(args),
    cli.json([...args, "--dry-run"]),
    cli.run([...args, "--yes"]),
  ]);
  for (const end of [table, applied]) {
    expectEnd(end, 6, ...says);
    expect(end.stderr).not.toContain("Run again with --yes");
  }
  expect(json["done"]).toBe(false);
  return json;
}

describe("group", () => {
  it("create: at once, because it loses nothing; refuses a stream that is not there and a group that is", async () => {
    const { stream, ids } = await filled("create", 3);
    expect(await cli.json(["group", "create", stream, "g", "--from", String(ids[0]), "--dry-run"])).toMatchObject({
      messages: 2,
      streamCreated: false,
    });
    expect(await groupsOf(stream)).toEqual([]);
    expect(await cli.json(["group", "create", stream, "g"])).toMatchObject({
      done: true,
      position: "start",
      messages: 3,
    });
    expect(await groupsOf(stream)).toEqual(["g"]);
    expectEnd(await cli.run(["group", "create", stream, "g", "--yes"]), 6, "already");
    const nowhere = uniqueName("nowhere");
    expectEnd(await cli.run(["group", "create", nowhere, "g", "--yes"]), 5, "--create-stream");
    expectEnd(await cli.run(["group", "create", nowhere, "g", "--yes", "--create-stream"]), 0);
    expect(await groupsOf(nowhere)).toEqual(["g"]);
  });

  it("seek: says what is redelivered and what never will be, and skips nothing unread unless it is allowed to", async () => {
    const { stream, ids } = await filled("seek", 6);
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
    await redis.server.command("XREADGROUP", "GROUP", "g", "c", "COUNT", 4, "STREAMS", stream, ">");
    expect(await planned(["group", "seek", stream, "g", "--to", "start"])).toMatchObject({
      deliveredAgain: 4,
      passedOver: 0,
      pending: 4,
    });
    const toEnd = ["group", "seek", stream, "g", "--to", "end"];
    expect(await refused(toEnd, "2 messages would never be delivered", "--skip-unread")).toMatchObject({
      deliveredAgain: 0,
      passedOver: 2,
    });
    expect(await cli.json(["group", "seek", stream, "g", "--to", String(ids[1]), "--yes"])).toMatchObject({
      done: true,
      deliveredAgain: 2,
    });
    const [, [again]] = (
      (await redis.server.command("XREADGROUP", "GROUP", "g", "c", "COUNT", 1, "STREAMS", stream, ">")) as [
        [string, [[string]]],
      ]
    )[0];
    expect(again[0]).toBe(ids[2]);
    expectEnd(await cli.run(["group", "seek", stream, "g", "--to", "end", "--skip-unread", "--yes"]), 0);
    expectEnd(await cli.run(["group", "seek", stream, "g", "--to", "end", "--yes"]), 0);
    expectEnd(await cli.run(["group", "seek", stream, "g"]), 2, "--to is missing");
  });

  it("delete: refuses the living, and what would be lost", async () => {
    const { stream } = await filled("delete", 2);
    const consumer = new Consumer({ redis: redis.server.url, stream, group: "g", batchSize: 1, prefetch: 0 });
    const batch = await consumer.fetch();
    try {
      const args = ["group", "delete", stream, "g", "--lose-pending"];
      expect(await refused(args, "1 consumer is alive", "stop all consumers")).toMatchObject({
        alive: 1,
        pending: 1,
        unread: 1,
        deadLetters: 0,
      });
    } finally {
      batch.ack();
      await consumer.close();
    }
    await refused(["group", "delete", stream, "g"], "1 unread", "--lose-pending");
    expectEnd(await cli.run(["group", "delete", stream, "g", "--lose-pending", "--yes"]), 0);
    expect(await groupsOf(stream)).toEqual([]);
    expectEnd(await cli.run(["group", "delete", stream, "g", "--yes"]), 5, 'has no group "g"');
  });

  it("delete: nothing that was kept about it stays behind, but its dead letters and its neighbours do", async () => {
    const { stream } = await filled("traces", 3);
    const ours = async (): Promise<string[]> => {
      const keys = (await redis.server.command("KEYS", `rb:{${stream}}:*`)) as string[];
      return keys.map((key) => key.replace(`rb:{${stream}}:`, "").replace(`:${stream}:`, " of ")).toSorted();
    };
    for (const group of ["g", "neighbour"]) await redis.server.command("XGROUP", "CREATE", stream, group, "0");
    const consume = (group: string) => ["consume", stream, group, "--max-wait", "10ms", "--lease", "500ms"];
    const deadLettered = await cli.run([...consume("g"), "--count", "1", "--dead-letter", "--exec", "exit 1"]);
    expectEnd(deadLettered, 1, "went to the dead letters");
    const [scaling, killed] = await Promise.all([
      cli.start([...["scale", "run", stream, "g", "--executor", "command", "--interval", "100ms"], "--", "true"]),
      cli.start([...consume("g"), "--batch-size", "1", "--ack", "never"]),
      cli.run([...consume("neighbour"), "--count", "1"]),
    ]);
    await killed.waitForLine(/"n":"1"/);
    killed.kill("SIGKILL");
    await eventually("the scaler has given an order", async () => scaling.stderr.includes("ordered: "));
    scaling.kill("SIGINT");
    await Promise.all([killed.exited, scaling.exited]);
    expectEnd(await cli.run(["cleanup", stream, "g", "--yes"]), 0);
    // Short-lived: whose turn it was.
    await redis.server.command("SET", `rb:{${stream}}:lease:recovery:${stream}:g`, "me");
    await redis.server.command("HSET", `rb:{${stream}}:consumers:${stream}:g`, "forgotten", "{}");
    await redis.server.command("ZADD", `rb:{${stream}}:due:${stream}:g`, 1, "1-1");
    await redis.server.command("ZADD", `rb:{${stream}}:hung:${stream}:g`, 1, "1-1");
    const neighbour = (await ours()).filter((key) => key.endsWith(" of neighbour"));
    expect(neighbour).toContain("final-reports of neighbour");
    expect(await ours()).toEqual(
      [
        ...["audit", "consumers", "dead", "due", "final-reports", "hung", "lease:recovery", "scaler"].map(
          (kind) => `${kind} of g`,
        ),
        ...neighbour,
      ].toSorted(),
    );
    await eventually("the killed one counts as dead", async () => {
      const { code } = await cli.run(["group", "delete", stream, "g", "--lose-pending", "--yes"]);
      return code === 0;
    });
    expect(await ours()).toEqual(["dead of g", ...neighbour]);
    expect(await groupsOf(stream)).toEqual(["neighbour"]);
  });
});

describe("reassign", () => {
  it("hands over what a foreign consumer left, when it was left long enough", async () => {
    const { stream, ids } = await filled("reassign", 3);
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
    await redis.server.command("XREADGROUP", "GROUP", "g", "old", "COUNT", 3, "STREAMS", stream, ">");
    await redis.server.command("XGROUP", "CREATECONSUMER", stream, "g", "new");
    const args = ["reassign", stream, "g", "--from", "old", "--to", "new"];
    expect(await refused(args, "not a consumer of Redis Batch", "--to-unregistered")).toMatchObject({ pending: 3 });
    const toNew = [...args, "--to-unregistered"];
    const tooSoon = await refused(toNew, "nothing can move", "--min-idle (10m)", "run it again in 9m");
    expect(tooSoon).toMatchObject({ pending: 3, movable: 0, why: expect.stringContaining("--min-idle") as string });
    expect(await planned([...toNew, "--min-idle", "0"])).toMatchObject({ pending: 3, movable: 3, why: null });
    expect(await cli.json([...toNew, "--yes", "--min-idle", "0"])).toMatchObject({ moved: 3, left: 0, done: true });
    // Nothing is left to move: that is no failure, and nothing was done.
    const again = await cli.json([...toNew, "--yes"]);
    expect(again).toMatchObject({ pending: 0, notes: ["There is nothing to do."] });
    expect(again).not.toHaveProperty("done");
    const pending = (await redis.server.command("XPENDING", stream, "g", "-", "+", 10)) as [
      string,
      string,
      number,
      number,
    ][];
    expect(pending.map(([id, owner, , deliveries]) => [id, owner, deliveries])).toEqual(
      ids.map((id) => [id, "new", 1]),
    );
    expectEnd(await cli.run(["reassign", stream, "g", "--from", "nobody", "--to", "new"]), 5, 'no consumer "nobody"');
    expectEnd(await cli.run(["reassign", stream, "g"]), 2, "--from");
  });

  it("moves what it can, says what is left and why, and fails", async () => {
    const { stream, ids } = await filled("partly", 3);
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
    await redis.server.command("XREADGROUP", "GROUP", "g", "old", "COUNT", 3, "STREAMS", stream, ">");
    await redis.server.command("XCLAIM", stream, "g", "old", 0, ids[0] ?? "", "IDLE", 3_600_000);
    const args = ["reassign", stream, "g", "--from", "old"];
    expect(await planned(args)).toMatchObject({ pending: 3, movable: 1 });
    const moved = await cli.run([...args, "--yes"]);
    expectEnd(moved, 6, "moved", "done", '2 messages stay with "old"', "--min-idle (10m)");
    expect(moved.stdout).toMatch(/moved +1\n(.*\n)*left +2\ndone +no\n/);
  });

  it("takes nothing from a live consumer, and says so in the plan", async () => {
    const { stream } = await filled("living", 1);
    await using consumer = new Consumer({ redis: redis.server.url, stream, group: "g", name: "busy", batchSize: 1 });
    const batch = await consumer.fetch();
    const plan = await refused(["reassign", stream, "g", "--from", "busy"], "is alive", "stop it first");
    expect(plan).toMatchObject({ pending: 1, movable: 0 });
    batch.ack();
  });

  it("gives messages that are kept in order to no other consumer", async () => {
    const { stream } = await filled("ordered", 2);
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
    await redis.server.command("XREADGROUP", "GROUP", "g", "old", "COUNT", 1, "STREAMS", stream, ">");
    await redis.server.command("XGROUP", "CREATECONSUMER", stream, "g", "stranger");
    await using consumer = new Consumer({
      redis: redis.server.url,
      stream,
      group: "g",
      name: "only",
      orderBy: "customer",
    });
    await consumer.fetch();
    const args = ["reassign", stream, "g", "--from", "old", "--min-idle", "0", "--to-unregistered"];
    expectEnd(await cli.run([...args, "--to", "stranger"]), 6, '"only" keeps the messages', "leave out --to");
    expect(await planned([...args, "--to", "only"])).toMatchObject({ movable: 1 });
    expect(await cli.json([...args, "--yes"])).toMatchObject({ moved: 1, to: "rb:released" });
  });

  it("releases for any consumer where no target is named", async () => {
    const { stream, ids } = await filled("release", 3);
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
    await redis.server.command("XREADGROUP", "GROUP", "g", "old", "COUNT", 3, "STREAMS", stream, ">");
    const args = ["reassign", stream, "g", "--from", "old", "--min-idle", "0"];
    expect(await planned(args)).toMatchObject({ pending: 3, to: "rb:released" });
    expect(await cli.json([...args, "--yes"])).toMatchObject({
      ...{ moved: 3, cleared: 0, left: 0, done: true },
      notes: [expect.stringContaining("Any consumer") as string],
    });
    expect(await redis.server.command("XPENDING", stream, "g", "-", "+", 10, "old")).toEqual([]);
    const consumer = new Consumer({ redis: redis.server.url, stream, group: "g", batchSize: 3, prefetch: 0 });
    const batch = await consumer.fetch();
    expect(batch.messages.map(({ id, deliveries }) => [id, deliveries])).toEqual(ids.map((id) => [id, 2]));
    batch.ack();
    await consumer.close();
  });

  it("takes no name for a target that holds what nobody works on, and releases nothing twice", async () => {
    expect.hasAssertions();
    const { stream } = await filled("reserved", 1);
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
    const from = (name: string, ...more: string[]) => cli.run(["reassign", stream, "g", "--from", name, ...more]);
    expectEnd(await from("old", "--to", "rb:later"), 2, "is not a consumer");
    expectEnd(await from("rb:released"), 2, "already released");
  });

  it("releases before its time what was deferred", async () => {
    const { stream, ids } = await filled("deferred", 1);
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
    await redis.server.command("XREADGROUP", "GROUP", "g", "rb:later", "COUNT", 1, "STREAMS", stream, ">");
    const args = ["reassign", stream, "g", "--from", "rb:later", "--min-idle", "0", "--yes"];
    expect(await cli.json(args)).toMatchObject({ moved: 1, left: 0 });
    const released = (await redis.server.command("XPENDING", stream, "g", "-", "+", 10, "rb:released")) as string[][];
    expect(released.map(([id]) => id)).toEqual(ids);
  });
});

describe("dead-letters", () => {
  it("key prints where they are, whatever is escaped in it", async () => {
    const stream = `shop:${uniqueName("orders")}`;
    await redis.server.command("XADD", stream, "*", "n", 1);
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
    const consume = ["consume", stream, "g", "--count", "1", "--dead-letter", "--exec", "exit 1"];
    expectEnd(await cli.run(consume), 1, "went to the dead letters");
    const key = (await cli.run(["dead-letters", "key", stream, "g"])).stdout.trimEnd();
    expect(await redis.server.command("XLEN", key)).toBe(1);
    expect(await cli.json(["dead-letters", "key", stream, "g"])).toEqual({ stream, group: "g", key });
  });

  it("list, show, redrive and discard, plan first", async () => {
    const { stream, ids } = await filled("letters", 4);
    const consumer = new Consumer({ redis: redis.server.url, stream, group: "g", batchSize: 4, prefetch: 0 });
    const batch = await consumer.fetch();
    for (const [index, message] of batch.messages.entries())
      message.deadLetter(index === 3 ? "poison\u001b[31m" : "no such order");
    await batch.settled();
    await consumer.close();

    const table = await cli.run(["dead-letters", "list", stream, "g"]);
    const json = await cli.json(["dead-letters", "list", stream, "g"]);
    expectSameContent(table.stdout, json);
    expect(table.stdout).not.toContain("\u001b");
    const letters = json["letters"] as { readonly id: string }[];
    expect(letters).toMatchObject(
      ids.map((entryId, n) => ({
        entryId,
        reason: "rejected",
        deliveries: 1,
        error: n === 3 ? "poison\u001b[31m" : "no such order",
      })),
    );
    const page = await cli.json(["dead-letters", "list", stream, "g", "--limit", "3"]);
    expect(page).toMatchObject({ total: 4, notes: [expect.stringContaining(String(page["next"])) as string] });
    expect(await cli.json(["dead-letters", "list", stream, "g", "--before", "1h"])).toMatchObject({ letters: [] });

    const id = letters[0]?.id ?? "";
    const { fields, ...history } = await cli.json(["dead-letters", "show", stream, "g", id]);
    expect({ fields, ...history }).toMatchObject({ id, entryId: ids[0], fields: { n: "0" } });
    const shown = await cli.run(["dead-letters", "show", stream, "g", id]);
    expectEnd(shown, 0, "no such order");
    const lines = Object.entries(fields as Readonly<Record<string, string>>).map((pair) => pair.join(" = "));
    expectSameContent(shown.stdout, { ...history, notes: lines });
    expectEnd(await cli.run(["dead-letters", "show", stream, "g", "1-1"]), 5, "there is no dead letter 1-1");

    expect(
      await planned(["dead-letters", "redrive", stream, "g", "--reason", "rejected", "--limit", "2"]),
    ).toMatchObject({ letters: 2, reasons: [{ reason: "rejected", letters: 2 }] });
    await redis.server.command("XDEL", stream, ids[1] ?? "");
    const redriven = await cli.json([
      "dead-letters",
      "redrive",
      stream,
      "g",
      "--reason",
      "rejected",
      "--limit",
      "2",
      "--yes",
    ]);
    expect(redriven).toMatchObject({
      redriven: 1,
      skipped: 1,
      done: false,
      letters: [{ kind: "skipped", why: "entry-trimmed" }],
    });
    expectEnd(await cli.run(["dead-letters", "redrive", stream, "g"]), 2, "no dead letters are selected");
    expectEnd(await cli.run(["dead-letters", "discard", stream, "g", "soon"]), 2, "not the id of a dead letter: soon");

    const one = letters[3]?.id ?? "";
    expect(await planned(["dead-letters", "discard", stream, "g", one])).toMatchObject({ letters: 1 });
    expect(await cli.json(["dead-letters", "discard", stream, "g", one, "--yes"])).toMatchObject({ discarded: 1 });
    expect(await cli.json(["dead-letters", "discard", stream, "g", "--since", "1h", "--yes"])).toMatchObject({
      discarded: 2,
      done: true,
    });
    await using left = new DeadLetters({ redis: redis.server.url, stream, group: "g" });
    expect(await left.count()).toBe(0);
    // Nothing to do is no refusal.
    expectEnd(await cli.run(["dead-letters", "discard", stream, "g", "--all"]), 0, "No dead letters matched.");
  });
});
