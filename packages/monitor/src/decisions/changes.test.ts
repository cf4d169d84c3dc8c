import { expect, it } from "vitest";
import type { ConsumerStatus, GroupHealth, MonitorReport } from "../report.ts";
import { listChanges } from "./changes.ts";

function reportOf(
  health: GroupHealth,
  consumers: Readonly<Record<string, ConsumerStatus>>,
  lost: { readonly unread?: number | null; readonly pending?: boolean } = {},
): MonitorReport {
  const group = {
    ...{ group: "billing", health, reason: "why" },
    retention: { neededFromId: "1-0", pins: true, unreadLost: lost.unread ?? 0, pendingLost: lost.pending ?? false },
    consumers: Object.entries(consumers).map(([consumer, status]) => ({ consumer, status, reason: "so" })),
  };
  return { groups: [group] } as unknown as MonitorReport;
}
const changed = (consumer: string, from: ConsumerStatus | null, to: ConsumerStatus | null, reason = "so") => ({
  ...{ type: "consumerChanged", group: "billing", consumer, from, to, reason },
});

it("reports every consumer and group in the first pass", () => {
  expect(listChanges(undefined, reportOf("OK", { a: "OK" }))).toEqual([
    { type: "groupChanged", group: "billing", from: null, to: "OK", reason: "why" },
    changed("a", null, "OK"),
  ]);
});

it("tells nothing where nothing has changed, and what has changed once", () => {
  const before = reportOf("OK", { a: "OK", b: "OK", gone: "DEAD" });
  expect(listChanges(before, before)).toEqual([]);
  const now = reportOf("STALLED", { a: "OK", b: "STALLED", c: "OK" });
  expect(listChanges(before, now)).toEqual([
    { type: "groupChanged", group: "billing", from: "OK", to: "STALLED", reason: "why" },
    changed("b", "OK", "STALLED"),
    changed("c", null, "OK"),
    changed("gone", "DEAD", null, "it is no longer in the group"),
  ]);
});

it("reports messages that were lost when there are more of them", () => {
  const lost = (unread: number | null, pending: boolean) => reportOf("OK", {}, { unread, pending });
  const event = { type: "messagesLost", group: "billing" };
  expect(listChanges(lost(0, false), lost(3, false))).toEqual([{ ...event, unread: 3, pending: false }]);
  expect(listChanges(lost(3, false), lost(3, true))).toEqual([{ ...event, unread: 3, pending: true }]);
  expect(listChanges(lost(3, true), lost(3, true))).toEqual([]);
  expect(listChanges(lost(5, true), lost(2, false))).toEqual([]);
});
