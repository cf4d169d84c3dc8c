/** An ioredis that keeps its insides in another way is used the ordinary way, and nothing else is different. */
import { uniqueName, useServer } from "@redis-batch/test-support";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { RedisBatchError } from "../src/errors/errors.ts";
import type { LentClient } from "../src/redis/open-client.ts";
import { PackedEntry } from "../src/wire/packed-entry.ts";
import { connected, useClients } from "./use-clients.ts";

const redis = useServer({ own: true });
const makeClient = useClients();

/** A client whose duplicates were changed in their insides. */
function lend(change: (client: Redis) => void): LentClient {
  const options = { ...redis.server.options };
  const duplicate = (override: object): Redis => {
    const client = new Redis({ ...options, ...override });
    change(client);
    return client;
  };
  return { isCluster: false, options, duplicate };
}

/** It gives no command a stream. */
function writeElsewhere(client: Redis): void {
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command) => send(command);
}

function listenTwice(client: Redis): void {
  client.on("connect", () => client.stream.on("data", () => {}));
}

/** Nobody who is sent a connection finds the socket. */
function hideSocket(client: Redis): void {
  const on = client.on.bind(client);
  Reflect.set(client, "on", (event: string, listener: () => void) =>
    on(event, () => {
      const { stream } = client;
      Reflect.deleteProperty(client, "stream");
      listener();
      client.stream = stream;
    }),
  );
}

/** The results of adds and reads, and whether entries were decoded the fast way. */
async function use(lent: LentClient): Promise<{ readonly ends: readonly unknown[]; readonly isPacked: boolean }> {
  const { client } = await connected(makeClient({ redis: lent, decoder: "own" }));
  const [stream, text, own] = [uniqueName("orders"), uniqueName("text"), { group: "g", consumer: "c" }];
  await redis.server.command("SET", text, "no stream");
  await client.xgroupCreate({ stream, group: own.group, position: "start" });
  const add = (...rows: readonly (readonly [string, string | Buffer])[]): Promise<readonly unknown[]> =>
    client.xaddMany(rows.map(([key, value]) => ({ stream: key, fields: ["n", value] })));
  const added = await Promise.all([
    add([stream, "Zoë"], [text, "refused"], [stream, Buffer.from([0xff])]),
    add([stream, ""], [stream, "x".repeat(2_000_000)]),
    add([stream, "alone"]),
  ]);
  added.push(await add([text, "refused"], [stream, "later"]));
  const entries = await client.xreadgroup({ stream, ...own, count: 10 });
  await client.unlink({ keys: [stream, text] });
  return {
    ends: [
      ...added.flat().map((end) => (RedisBatchError.is(end) ? end.code : "added")),
      ...entries.map(({ fields }) => fields.map((field) => field.toString("latin1"))),
    ],
    isPacked: entries.every((entry) => entry instanceof PackedEntry),
  };
}

test.each([
  ["writes elsewhere", writeElsewhere, true],
  ["listens twice", listenTwice, false],
  ["hides its socket", hideSocket, false],
] as const)("over a client that %s", async (_, change, isPacked) => {
  const known = await use(lend(() => {}));
  expect(known.isPacked).toBe(true);
  expect(known.ends).toHaveLength(14);
  expect(await use(lend(change))).toEqual({ ends: known.ends, isPacked });
});
