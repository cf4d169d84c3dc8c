/** What the commands on one pending message share: who has it, and whether it may be taken. */
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { nullIfForbidden } from "@redis-batch/core/internal/errors";
import { isAlive, type PendingEntry } from "@redis-batch/core/internal/groups";
import { isReservedConsumer, LATER, quoteName } from "@redis-batch/core/internal/names";
import { Failure } from "../failure.ts";
import { isoTime, timeOfId } from "../point.ts";
import { findGroup } from "./find-group.ts";
import { partsOf, placeOf } from "./parts.ts";

export interface OneMessage {
  readonly stream: string;
  readonly group: string;
  readonly id: string;
}

/** The message, where it is. */
export interface Found extends OneMessage {
  readonly message: PendingEntry;
  /** Whether a consumer that lives may be at work on it; `null`: that of a consumer which is not of Redis Batch is unknown. */
  readonly isHeld: boolean | null;
  readonly dueMs: number | null;
}

/** @throws {Failure} when it is not pending */
export async function findPending(
  client: StreamClient,
  { stream: whole, group, id: text }: OneMessage,
): Promise<Found> {
  const parts = await partsOf(client, whole);
  const { partition, id } = placeOf("<id>", text, parts);
  await findGroup(client, whole, group);
  const part = parts.find((one) => one.partition === partition);
  if (part === undefined) {
    throw new Failure(
      "usage",
      `<id> must say in which partition the message is, such as ${parts[0]?.partition}/${id}`,
      "`redis-batch pending` lists the messages with their partitions",
    );
  }
  const { stream } = part;
  const [message] = await client.xpendingRange({ stream, group, from: id, to: id, count: 1 });
  if (message === undefined) {
    throw new Failure(
      "missing",
      `the message ${text} is not pending in the group`,
      "`redis-batch pending` lists those that are",
    );
  }
  const { consumer } = message;
  if (isReservedConsumer(consumer)) {
    const due = consumer === LATER ? await nullIfForbidden(client.dueTimes({ stream, group, ids: [id] })) : null;
    return { stream, group, id, message, isHeld: false, dueMs: due?.get(id) ?? null };
  }
  const registered = (await client.registry({ stream: whole, group })).get(consumer);
  const isHeld = registered === undefined ? null : isAlive(registered, await client.time());
  return { stream, group, id, message, isHeld, dueMs: null };
}

export function factsOf(one: OneMessage, { message, isHeld, dueMs, id }: Found) {
  return [
    { key: "stream", value: one.stream },
    { key: "group", value: one.group },
    { key: "id", value: one.id },
    { key: "added", value: timeOfId(id) },
    { key: "consumer", value: message.consumer },
    { key: "held", title: "its consumer is alive", value: isHeld },
    { key: "idleMs", title: "idle", value: message.idleMs, unit: "ms" },
    { key: "deliveries", value: message.deliveries, unit: "count" },
    { key: "due", value: isoTime(dueMs ?? 0) },
  ] as const;
}

/** Why it is not taken; `undefined`: it may be. */
export function refuseHeld({ message, isHeld }: Found, take: boolean): Failure | undefined {
  if (isHeld === false || take) return undefined;
  const { consumer } = message;
  const why =
    isHeld === true
      ? `the consumer ${quoteName(consumer)} is alive and may be at work on it`
      : `the consumer ${quoteName(consumer)} is not of Redis Batch, and may be at work on it`;
  return new Failure("refused", why, "--take takes it all the same: its handler may then process it a second time");
}

export const changedHands = (): Failure =>
  new Failure("refused", "the message has just changed hands, or is not pending any more", "run the command again");
