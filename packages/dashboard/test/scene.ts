/** A server with something to see: groups that are well and groups that are not, with real consumers. */
import { Consumer, DeadLetters, Producer } from "@redis-batch/consumer";
import { groupKey } from "@redis-batch/core/internal/names";
import type { RedisServer } from "@redis-batch/test-support";

/** What would run, break the layout or leave the page, if anything did not treat it as text. */
export const HOSTILE = [
  `<img src=x onerror="globalThis.hacked=1">`,
  `<script>globalThis.hacked=1</script>`,
  `"><svg onload=globalThis.hacked=1>`,
  `javascript:globalThis.hacked=1`,
  `{{constructor.constructor('globalThis.hacked=1')()}}`,
  `\u202egnirts\u202c \u0000\u0007\u001b[31m`,
  `__proto__`,
  "/../%2e%2e/#/log?a=b&c",
].join(" ");

export interface Scene extends AsyncDisposable {
  /** Groups with these names exist, and each has something to see. */
  readonly groups: readonly (readonly [stream: string, group: string])[];
}

/** @param hostile what is in every name and every field, beside what it is */
export async function openScene(server: RedisServer, hostile = ""): Promise<Scene> {
  const redis = server.url;
  const ending = new AbortController();
  const name = (word: string): string => (hostile === "" ? word : `${word} ${hostile.replaceAll(/[{}]/g, "")}`);
  const [orders, mails] = [name("shop:orders"), name("mails")];
  const payload = {
    order: `A-17${hostile}`,
    amount: "12.50",
    email: `ada@example.com${hostile}`,
    [`x${hostile}`]: hostile,
  };
  const producer = new Producer({ redis, stream: orders });
  await producer.addMany(Array.from({ length: 60 }, (_, at) => ({ ...payload, n: String(at) })));
  const other = new Producer({ redis, stream: mails });
  await other.addMany(Array.from({ length: 40 }, (_, at) => ({ ...payload, n: String(at) })));

  const observer = (): void => {};
  const common = { redis, observer, maxWaitMs: 50, batchSize: 10 } as const;
  const billing = new Consumer({ ...common, stream: orders, group: name("billing"), name: name("worker-1") });
  const failing = new Consumer({
    ...{ ...common, stream: orders, group: name("audit"), name: name("auditor") },
    ...{ maxDeliveries: 1, batchSize: 1 },
  });
  const runs = [
    billing.run(async (batch) => batch.ack(), { signal: ending.signal }),
    failing.run(
      async (batch) => {
        for (const message of batch) {
          const { n } = message.fields as { readonly n: string };
          const why = Number(n) % 3 === 0 ? "the ledger is closed" : `order ${n} was not found at 10.0.0.${n}:5432`;
          message.deadLetter(`${why}${hostile}`);
        }
      },
      { signal: ending.signal },
    ),
  ];
  // Somebody else's consumer, which took messages and never came back.
  const stuck = name("newsletter");
  await server.command("XGROUP", "CREATE", mails, stuck, "0");
  await server.command("XREADGROUP", "GROUP", stuck, name("legacy-7"), "COUNT", 7, "STREAMS", mails, ">");
  await server.command("XADD", name("empty"), "*", "a", "1");
  await logOrders(server, orders, name("billing"), hostile);
  if (hostile !== "") await pretend(server, orders, name("billing"), hostile);

  const letters = new DeadLetters({ redis, stream: orders, group: name("audit"), observer });
  while ((await letters.count()) < 60) await new Promise((resolve) => setTimeout(resolve, 20));
  await letters.close();

  const flow = setInterval(() => {
    void producer.addMany([payload, payload, { ...payload, n: "3" }]).catch(observer);
  }, 100);
  return {
    groups: [
      [orders, name("billing")],
      [orders, name("audit")],
      [mails, stuck],
    ],
    async [Symbol.asyncDispose]() {
      clearInterval(flow);
      ending.abort();
      await Promise.allSettled([...runs, billing.close(), failing.close(), producer.close(), other.close()]);
    },
  };
}

/** What a scaler writes about its orders. */
async function logOrders(server: RedisServer, stream: string, group: string, hostile: string): Promise<void> {
  const key = groupKey("audit", stream, group);
  const orders = [
    ["OUT", 1, 3, `400 messages wait, and one consumer needs 40 s for them${hostile}`],
    ["IN", 3, 2, `two consumers are enough for 12 messages per second${hostile}`],
  ] as const;
  for (const [at, [direction, from, to, reason]] of orders.entries()) {
    const decision = JSON.stringify({
      ...{ strategy: "throughput", binding: hostile || "need", direction, current: from, desired: to, rate: 0, reason },
      terms: { targetUtilisation: 0.7, forArrivals: 1.2, forBacklog: 1.1, [hostile || "drainMs"]: hostile || 30_000 },
      inputs: { pending: 20, ready: from, starting: 0, batchSize: 10 },
    });
    const about = ["v", "1", "term", "1", "sequence", String(at)];
    const order = [
      "what",
      "order",
      "executor",
      "kubernetes",
      "direction",
      direction,
      "from",
      String(from),
      "to",
      String(to),
    ];
    await server.command("XADD", key, "*", ...about, ...order, "reason", reason, "decision", decision);
    await server.command(
      "XADD",
      key,
      "*",
      ...about,
      "what",
      at === 0 ? "done" : "failed",
      "code",
      "E",
      "error",
      `it was refused${hostile}`,
    );
  }
}

/** What somebody with access to Redis could write of themselves, and of what they did. */
async function pretend(server: RedisServer, stream: string, group: string, hostile: string): Promise<void> {
  const [seconds] = (await server.command("TIME")) as [string];
  const told = {
    at: Number(seconds) * 1_000,
    leaseMs: 3_600_000,
    incarnation: hostile,
    pid: 7,
    parked: 3,
    blockedKeys: 2,
  };
  const words = { host: hostile, version: hostile, state: hostile, intake: hostile, isAlone: true };
  await server.command("XGROUP", "CREATECONSUMER", stream, group, hostile);
  await server.command("HSET", groupKey("consumers", stream, group), hostile, JSON.stringify({ ...told, ...words }));
  const about = ["v", "1", "plan", hostile, "action", hostile];
  const log = groupKey("audit", stream, group);
  await server.command(
    "XADD",
    log,
    "*",
    ...about,
    "what",
    "action",
    "who",
    hostile,
    "letters",
    "3",
    "command",
    hostile,
  );
  await server.command("XADD", log, "*", ...about, "what", "actionEnded", "done", "1", "left", "2", "error", hostile);
}
