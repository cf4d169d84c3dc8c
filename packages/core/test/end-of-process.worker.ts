/** Closes a client that has lost its connection, or never had one, and says what is left that keeps the process. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { Redis as RedisV5 } from "ioredis-v5";
import { ConnectionError } from "../src/errors/errors.ts";
import type { RedisSource } from "../src/redis/open-client.ts";
import { createRedisStreamClient } from "../src/redis/redis-stream-client.ts";
import type { ConnectionEvent } from "../src/stream-client.ts";

const [library = "", url = "", when = ""] = process.argv.slice(2);
const source: RedisSource = library === "ioredis 5" ? new RedisV5(url, { lazyConnect: true }) : url;

let tellOfLoss = (): void => {};
const lost = new Promise<void>((resolve) => {
  tellOfLoss = resolve;
});
const report = ({ type }: ConnectionEvent): void => {
  if (type === "disconnected") tellOfLoss();
};
const client = createRedisStreamClient({ redis: source, blockMs: 0, report });
if (when === "lost") {
  await client.connect(["commands"], { timeoutMs: 10_000 });
  process.stdout.write("connected\n");
  await lost;
} else {
  const error: unknown = await client.connect(["commands"], { timeoutMs: 200 }).catch((reason: unknown) => reason);
  if (!ConnectionError.is(error)) throw new Error("it is connected, or something else failed", { cause: error });
}
await client.close();
// A socket reports its end a turn after it.
for (let turn = 0; turn < 5; turn++) await nextTurn();
// Pipes are its standard input and output.
const left = process.getActiveResourcesInfo().filter((resource) => resource !== "PipeWrap");
process.stdout.write(`${JSON.stringify(left)}\n`);
