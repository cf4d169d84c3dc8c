import type { StreamClient } from "@redis-batch/core/internal/connection";
import { nullIfForbidden } from "@redis-batch/core/internal/errors";
import { type ConsumerInfo, isAlive, type Registration } from "@redis-batch/core/internal/groups";
import { isReservedConsumer } from "@redis-batch/core/internal/names";
import type { Invocation, Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import type { Row } from "../render/report.ts";
import { reservedFacts } from "../render/reserved-name.ts";
import type { consumers } from "../table/inspect.ts";
import { askParts, type Part, partsOf } from "./parts.ts";
import { repeat } from "./repeat.ts";

type Call = Invocation<typeof consumers>;

export const run: Run<typeof consumers> = (call) =>
  withClient(call, async (client) => {
    const parts = await partsOf(client, call.args.stream);
    return repeat(call, () => show(client, call, parts));
  });

async function show(client: StreamClient, call: Call, parts: readonly Part[]): Promise<void> {
  const { stream, group } = call.args;
  const answers = await askParts(parts, (part) => client.xinfoConsumers({ stream: part.stream, group }));
  const infos = sumUp(answers.flatMap(({ answer }) => answer));
  const registry = (await nullIfForbidden(client.registry({ stream, group }))) ?? new Map<string, Registration>();
  const nowMs = await nullIfForbidden(client.time());
  const known = new Map(infos.map((info) => [info.name, info]));
  // A consumer that has just started is registered, but may not have read yet.
  const names = [...new Set([...known.keys(), ...registry.keys()])]
    .filter((name) => !isReservedConsumer(name))
    .toSorted();
  await call.terminal.report(
    {
      facts: [
        { key: "stream", value: stream },
        { key: "group", value: group },
        ...reservedFacts(new Map(infos.map(({ name, pending }) => [name, pending]))),
      ],
      table: {
        key: "consumers",
        columns: [
          { key: "consumer" },
          { key: "pending", unit: "count" },
          { key: "idleMs", title: "idle", unit: "ms" },
          { key: "alive", tone: (alive) => (alive === false ? "bad" : alive === true ? "good" : undefined) },
          { key: "state" },
          { key: "intake", tone: (intake) => (intake === "open" ? "good" : undefined) },
          { key: "heartbeatMs", title: "heartbeat", unit: "ms" },
          { key: "inFlight", title: "in flight", unit: "count" },
          { key: "parked", title: "behind keys", unit: "count" },
          { key: "blockedKeys", title: "blocked keys", unit: "count" },
          { key: "acknowledged", unit: "count" },
          { key: "host" },
          { key: "pid" },
        ],
        rows: names.map((name) => describe(name, known.get(name), registry.get(name), nowMs)),
        none: "The group has no consumers.",
      },
    },
    call.options.json,
  );
}

/** What a consumer has in all partitions. */
function sumUp(infos: readonly ConsumerInfo[]): readonly ConsumerInfo[] {
  const known = new Map<string, ConsumerInfo>();
  for (const info of infos) {
    const { pending = 0, idleMs = info.idleMs } = known.get(info.name) ?? {};
    known.set(info.name, { ...info, pending: pending + info.pending, idleMs: Math.min(idleMs, info.idleMs) });
  }
  return [...known.values()];
}

function describe(
  consumer: string,
  info: ConsumerInfo | undefined,
  registered: Registration | undefined,
  nowMs: number | null,
): Row {
  const details = registered?.details;
  return {
    consumer,
    pending: info?.pending ?? 0,
    idleMs: info?.idleMs ?? null,
    // Unknown for a consumer that is not of Redis Batch.
    alive: registered === undefined || nowMs === null ? null : isAlive(registered, nowMs),
    state: details?.state ?? null,
    // "open", or the name of what pauses it on purpose.
    intake: details?.intake ?? null,
    heartbeatMs: registered === undefined || nowMs === null ? null : Math.max(nowMs - registered.atMs, 0),
    inFlight: details?.inFlight ?? null,
    // Messages behind an earlier one of their key, where the consumer keeps an order.
    parked: details?.parked ?? null,
    blockedKeys: details?.blockedKeys ?? null,
    acknowledged: details?.acked ?? null,
    host: details?.host ?? null,
    pid: details?.pid ?? null,
  };
}
