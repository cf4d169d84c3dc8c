/**
 * What must go on while a Cluster moves the stream's slot from one node to another, however long that takes. In that time
 * both nodes refuse, with TRYAGAIN, a script whose keys are not all at one of them. Here the same is done by commands and
 * scripts of one key each, in an order in which a crash, or another consumer in between, leaves a message twice and never
 * loses it.
 */
import { RedisBatchError, ServerStateError } from "../errors/errors.ts";
import { isAlive, type Registration } from "../groups/consumer-registry.ts";
import { groupKey } from "../names/keys.ts";
import { LATER, RELEASED } from "../names/reserved-consumers.ts";
import type { StreamClient } from "../stream-client.ts";
import type { HandOverPage, HandOverPageOptions } from "../wire/atomic/hand-over-page.ts";
import { encodeTold } from "../wire/atomic/heartbeat.ts";
import type { MoveToDeadLettersOptions, MoveToDeadLettersResult } from "../wire/atomic/move-to-dead-letters.ts";
import type { Removal, RemoveIfEmptyOptions } from "../wire/atomic/remove-if-empty.ts";
import type { XaddOptions } from "../wire/xadd.ts";

/** Whether a command was refused because only some of its keys have been moved. It was not executed. */
export function isHalfMoved(error: unknown): boolean {
  return ServerStateError.is(error) && error.state === "TRYAGAIN";
}

/** The dead letter first, then the acknowledgement. */
export async function moveToDeadLettersInSteps(
  client: Pick<StreamClient, "ackOwned" | "time" | "xaddMany" | "xpendingRange" | "xrange">,
  { stream, group, consumer, id, reason, error }: MoveToDeadLettersOptions,
): Promise<MoveToDeadLettersResult> {
  const own = { stream, group, consumer, ids: [id] };
  const [entry] = await client.xrange({ stream, from: id, to: id, count: 1 });
  const nowMs = await client.time();
  // Last before the first write, so that another owner is noticed as late as possible.
  const [pending] = await client.xpendingRange({ stream, group, consumer, from: id, to: id, count: 1 });
  if (pending === undefined) return { kind: "not-owned" };
  if (entry === undefined) {
    const { acknowledged } = await client.ackOwned(own);
    return { kind: acknowledged.length > 0 ? "trimmed" : "not-owned" };
  }
  const history = [
    ...["dead.id", id, "dead.consumer", consumer, "dead.deliveries", pending.deliveries],
    ...["dead.reason", reason, "dead.error", error, "dead.at", nowMs],
  ];
  const deadId = await add(client, {
    stream: groupKey("dead", stream, group),
    fields: [...entry.fields, ...history],
  });
  const { acknowledged } = await client.ackOwned(own);
  return acknowledged.length > 0 ? { kind: "dead-lettered", deadId } : { kind: "not-owned" };
}

/**
 * The owner is judged first. It may come back before its messages are moved, so each of them must have been idle for the
 * whole lease, even if the owner's heartbeat was observed to stop.
 */
export async function handOverPageInSteps(
  client: Pick<StreamClient, "registry" | "release" | "time" | "xpendingRange">,
  { stream, group, from, to, foreignIdleMs, toUnregistered, seenAtMs, after, count }: HandOverPageOptions,
): Promise<HandOverPage> {
  const registry = await client.registry({ stream, group });
  const nowMs = await client.time();
  const owner = registry.get(from);
  if (isStillAlive(owner, nowMs, seenAtMs)) return { kind: "refused", why: "owner-alive" };
  if (!toUnregistered && to !== RELEASED) {
    const target = registry.get(to);
    if (target === undefined) return { kind: "refused", why: "target-unknown" };
    if (!isAlive(target, nowMs)) return { kind: "refused", why: "target-silent" };
  }
  const leastIdleMs = owner?.leaseMs ?? foreignIdleMs;
  const start = after === null ? "-" : `(${after}`;
  const page = await client.xpendingRange({ stream, group, consumer: from, from: start, to: "+", count });
  const ripe = page.filter(({ idleMs }) => idleMs < 0 || idleMs >= leastIdleMs).map(({ id }) => id);
  const { moved, trimmed } = await client.release({ stream, group, from, to, offered: ripe, neverOffered: [] });
  return {
    kind: "moved",
    ...{ moved, recent: page.length - ripe.length, trimmed: trimmed.length },
    lastId: page.length < count ? null : (page.at(-1)?.id ?? null),
  };
}

export interface RemovalSteps {
  /** Removes the consumer from the group, unless messages are pending for it. */
  readonly removeFromGroup: () => Promise<Removal>;
  /** Removes it from the registry. */
  readonly deregister: () => Promise<unknown>;
}

/** The group first: a name that is only left in the registry is found dead, and removed, later. */
export async function removeIfEmptyInSteps(
  client: Pick<StreamClient, "registry" | "time" | "xaddMany">,
  { stream, group, consumer, onlyIfSilent, seenAtMs, finalReport }: RemoveIfEmptyOptions,
  { removeFromGroup, deregister }: RemovalSteps,
): Promise<Removal> {
  if (consumer === RELEASED || consumer === LATER) return "reserved";
  const nowMs = await client.time();
  if (onlyIfSilent && isStillAlive((await client.registry({ stream, group })).get(consumer), nowMs, seenAtMs)) {
    return "alive";
  }
  if (finalReport !== undefined) {
    const told = `{"at":${nowMs},${encodeTold(finalReport).slice(1)}`;
    const trim = { strategy: "maxLen", threshold: 100, approximate: true } as const;
    // Its failure is ignored: leaving matters more.
    await client.xaddMany([
      { stream: groupKey("final-reports", stream, group), trim, fields: ["consumer", consumer, "told", told] },
    ]);
  }
  const removal = await removeFromGroup();
  if (!onlyIfSilent || removal === "removed") await deregister();
  return removal;
}

/** Like the scripts: a heartbeat that was observed to stop is dead as long as it has not changed, whatever its time. */
function isStillAlive(registered: Registration | undefined, nowMs: number, seenAtMs: number | null = null): boolean {
  if (registered === undefined || seenAtMs === null) return isAlive(registered, nowMs);
  return registered.atMs !== seenAtMs;
}

async function add(client: Pick<StreamClient, "xaddMany">, item: XaddOptions): Promise<string> {
  const [outcome] = await client.xaddMany([item]);
  if (RedisBatchError.is(outcome)) throw outcome;
  return outcome as string;
}
