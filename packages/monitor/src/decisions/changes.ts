/** The changes from one pass to the next, as events. */
import type { MonitorEvent } from "../events.ts";
import type { ConsumerReport, GroupReport, MonitorReport } from "../report.ts";

/** The changes, in the order of groups and consumers. A deleted group is not reported. */
export function listChanges(before: MonitorReport | undefined, now: MonitorReport): readonly MonitorEvent[] {
  const known = new Map(before?.groups.map((group) => [group.group, group]));
  return now.groups.flatMap((group) => [...groupChanges(known.get(group.group), group)]);
}

function* groupChanges(before: GroupReport | undefined, now: GroupReport): Generator<MonitorEvent> {
  const { group, health, reason, retention } = now;
  if (before?.health !== health) {
    yield { type: "groupChanged", group, from: before?.health ?? null, to: health, reason };
  }
  const unread = (retention.unreadLost ?? 0) > (before?.retention.unreadLost ?? 0);
  const pending = retention.pendingLost && before?.retention.pendingLost !== true;
  if (unread || pending) yield { type: "messagesLost", group, unread: retention.unreadLost, pending };
  const known = new Map(before?.consumers.map((consumer) => [consumer.consumer, consumer]));
  for (const one of now.consumers) {
    const { consumer, status: to } = one;
    const from = known.get(consumer)?.status ?? null;
    known.delete(consumer);
    if (from !== to) yield { type: "consumerChanged", group, consumer, from, to, reason: one.reason };
  }
  for (const { consumer, status: from } of known.values() as Iterable<ConsumerReport>) {
    const left = "it is no longer in the group";
    yield { type: "consumerChanged", group, consumer, from, to: null, reason: left };
  }
}
