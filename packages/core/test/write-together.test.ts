import { FaultProxy, uniqueName, useServer } from "@redis-batch/test-support";
import { Command, Redis } from "ioredis";
import { Command as CommandV5, Redis as RedisV5 } from "ioredis-v5";
import { describe, expect, onTestFinished, test } from "vitest";
import { type CallEnd, writeTogether } from "../src/redis/ioredis-internals/write-together.ts";
import type { Argument } from "../src/wire/command.ts";

const redis = useServer({ own: true });

type Options = FaultProxy["options"] & {
  readonly protocol: 2;
  readonly enableOfflineQueue: false;
  readonly maxRetriesPerRequest: 0;
  readonly lazyConnect: true;
};

type Open = (options: Options) => {
  readonly client: Redis;
  readonly write: (name: string, calls: readonly (readonly Argument[])[]) => Promise<readonly CallEnd[]>;
};

// The two are alike in all that is used here.
const versions: readonly (readonly [string, Open])[] = [
  [
    "ioredis 6",
    (options) => {
      const client = new Redis(options);
      return { client, write: (name, calls) => writeTogether(client, name, calls) };
    },
  ],
  [
    "ioredis 5",
    (options) => {
      const client = new RedisV5(options) as unknown as Redis;
      return {
        client,
        write: (name, calls) => writeTogether(client, name, calls, CommandV5 as unknown as typeof Command),
      };
    },
  ],
];

describe.each(versions)("over %s", (_, open) => {
  const setUp = async (target: Pick<FaultProxy, "options"> = redis.server) => {
    const { client, write } = open({
      ...target.options,
      ...{ protocol: 2, enableOfflineQueue: false, maxRetriesPerRequest: 0, lazyConnect: true },
    });
    client.on("error", () => {});
    onTestFinished(() => client.disconnect());
    await client.connect();
    return { client, write, stream: uniqueName("orders") };
  };

  test("every call has its own end, in order, and so have commands before, between and behind", async () => {
    const { client, write, stream } = await setUp();
    const before = client.incr(`${stream}:count`);
    const first = write("xadd", [
      [stream, "1-1", "n", "Zoë"],
      [stream, "1-0", "n", "too old"],
      [stream, "1-2", Buffer.from([0xff]), 7],
    ]);
    const between = client.incr(`${stream}:count`);
    const second = write("xadd", [[stream, "2-1", "n", ""]]);
    const behind = client.incr(`${stream}:count`);
    expect(await Promise.all([before, between, behind])).toEqual([1, 2, 3]);
    expect(await first).toEqual([
      { reply: Buffer.from("1-1"), error: undefined },
      { reply: undefined, error: expect.objectContaining({ code: "COMMAND" }) as unknown },
      { reply: Buffer.from("1-2"), error: undefined },
    ]);
    expect(await second).toMatchObject([{ reply: Buffer.from("2-1") }]);
    const entries = await client.xrangeBuffer(stream, "-", "+");
    expect(entries.map(([, fields]) => fields)).toEqual([
      [Buffer.from("n"), Buffer.from("Zoë")],
      [Buffer.from([0xff]), Buffer.from("7")],
      [Buffer.from("n"), Buffer.from("")],
    ]);
    await client.unlink(stream, `${stream}:count`);
  });

  test("a connection that dies in the middle leaves those in doubt that have no reply", async () => {
    await using proxy = await FaultProxy.start(redis.server);
    const { client, write, stream } = await setUp(proxy);
    const calls = Array.from({ length: 100 }, (__, n) => [stream, `${n + 1}-1`, "n", n]);
    const cut = proxy.cut("reply", 200);
    const ends = await write("xadd", calls);
    await cut;
    const confirmed = ends.findIndex(({ error }) => error !== undefined);
    expect(confirmed).toBeGreaterThan(0);
    expect(ends.slice(0, confirmed).map(({ reply }) => String(reply))).toEqual(
      Array.from({ length: confirmed }, (__, n) => `${n + 1}-1`),
    );
    expect(ends.slice(confirmed).map(({ error }) => error)).toEqual(
      Array(100 - confirmed).fill(expect.objectContaining({ code: "CONNECTION", outcome: "unknown" })),
    );
    client.disconnect();
  });

  test("who wraps each command's end, as tracers do, sees each call end once", async () => {
    const { client, write, stream } = await setUp();
    const send = client.sendCommand.bind(client);
    const seen: string[] = [];
    client.sendCommand = (command, socket) => {
      const { resolve, reject } = command;
      command.resolve = (reply: unknown) => {
        seen.push(String(reply));
        resolve(reply);
      };
      command.reject = (error) => {
        seen.push("refused");
        reject(error);
      };
      return send(command, socket);
    };
    await write("xadd", [
      [stream, "1-1", "n", 1],
      [stream, "1-0", "n", 2],
      [stream, "1-2", "n", 3],
    ]);
    expect(seen).toEqual(["1-1", "refused", "1-2"]);
  });

  test("without a connection nothing is sent, and every call is told so", async () => {
    const { client, write, stream } = await setUp();
    client.disconnect();
    const call = [stream, "*", "n", 1];
    const refused: unknown = { reply: undefined, error: expect.objectContaining({ code: "CONNECTION" }) as unknown };
    expect(await write("xadd", [call, call, call])).toEqual([refused, refused, refused]);
    expect(await redis.server.command("EXISTS", stream)).toBe(0);
  });
});
