import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { CommandProxy, FaultProxy, useServer } from "../src/index.ts";

const redis = useServer();

test("passes commands on word for word, however they are cut, and changes those it is asked to", async () => {
  await using proxy = await CommandProxy.start(redis.server, ([name, ...args]) =>
    name === "echo" ? ["echo", Buffer.concat([...args, Buffer.from("!")])] : [name, ...args],
  );
  // Between the client and the proxy everything arrives in pieces of three bytes.
  await using line = await FaultProxy.start(proxy, { faults: { sliceBytes: 3 } });
  const client = new Redis({ ...line.options, lazyConnect: true });
  try {
    const bytes = Buffer.from([0, 13, 10, 255, 36]);
    const replies = await Promise.all([
      client.echoBuffer(bytes),
      client.set("proxy:bytes", bytes),
      client.getBuffer("proxy:bytes"),
    ]);
    expect(replies).toEqual([Buffer.concat([bytes, Buffer.from("!")]), "OK", bytes]);
  } finally {
    client.disconnect();
    await redis.server.command("DEL", "proxy:bytes");
  }
});
