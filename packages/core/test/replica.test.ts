import { addEntry, eventually, RedisServer, uniqueName, useServer } from "@redis-batch/test-support";
import { expect, test } from "vitest";
import { LATER, RELEASED } from "../src/names/reserved-consumers.ts";
import { connected, useClients } from "./use-clients.ts";

const redis = useServer({ own: true });
const makeClient = useClients();

/** What the server that takes over after a failover knows: a claim in a script is replicated as what it did. */
test("a replica has the pending list of its primary after messages were released, deferred and taken", async () => {
  await using replica = await RedisServer.start({ replicaOf: redis.server });
  const { client } = await connected(makeClient({ redis: redis.server.url }));
  const address = { stream: uniqueName("s"), group: "g" };
  await client.xgroupCreate({ ...address, position: "start" });
  const ids: string[] = [];
  for (let n = 1; n <= 9; n++) ids.push(await addEntry(client, { stream: address.stream, fields: ["n", n] }));
  await client.xreadgroup({ ...address, consumer: "c1", count: 9 });
  await client.redeliverOwn({ ...address, consumer: "c1", messages: [{ id: ids[1] ?? "", deliveries: 7 }] });
  await client.xdel({ stream: address.stream, ids: ids.slice(2, 3) });

  const move = { ...address, from: "c1", to: RELEASED };
  const given = await client.release({ ...move, offered: ids.slice(0, 4), neverOffered: ids.slice(4, 6) });
  expect(given).toEqual({ moved: 5, trimmed: [ids[2]] });
  await client.scheduleLater({ ...address, delays: [{ id: ids[6] ?? "", delayMs: 600_000 }] });
  await client.release({ ...move, to: LATER, offered: ids.slice(6, 7), neverOffered: [] });
  const bounds = { after: null, scan: 100, count: 2, maxBytes: 1_000, suspectFrom: 5, suspects: 1, notWanted: [] };
  const { entries } = await client.take({ ...address, consumer: "c2", ...bounds });
  expect(entries.map(({ id, deliveries }) => [id, deliveries])).toEqual([
    [ids[0], 2],
    [ids[1], 8],
  ]);

  const pendingOn = async (server: RedisServer) => {
    const pending = (await server.command("XPENDING", address.stream, address.group, "-", "+", 100)) as unknown[][];
    return pending.map(([id, consumer, idleMs, deliveries]) => ({
      ...{ id: String(id), consumer: String(consumer), deliveries: Number(deliveries) },
      wasJustNow: Number(idleMs) < 60_000,
    }));
  };
  const onPrimary = await pendingOn(redis.server);
  expect(onPrimary.map(({ consumer, deliveries }) => [consumer, deliveries])).toEqual([
    ...[
      ["c2", 2],
      ["c2", 8],
      [RELEASED, 1],
      [RELEASED, 0],
      [RELEASED, 0],
      [LATER, 1],
      ["c1", 1],
      ["c1", 1],
    ],
  ]);
  expect(onPrimary.every(({ wasJustNow }) => wasJustNow)).toBe(true);
  await eventually("the replica shows the same", async () => {
    expect(await pendingOn(replica)).toEqual(onPrimary);
    return true;
  });
  const dueKey = `rb:{${address.stream}}:due:${address.stream}:g`;
  expect(await replica.command("ZSCORE", dueKey, ids[6] ?? "")).toEqual(
    await redis.server.command("ZSCORE", dueKey, ids[6] ?? ""),
  );
});
