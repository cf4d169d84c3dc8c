/** Reports to begin a test with. */
import type { ConsumerReport, GroupReport, MonitorReport } from "../src/report.ts";

export function consumerReport(changes: Partial<ConsumerReport> = {}): ConsumerReport {
  return {
    consumer: "worker-1",
    status: "OK",
    reason: "its heartbeat is fresh",
    foreign: false,
    idleMs: 1_500,
    inactiveMs: 2_000,
    pending: 3,
    oldestPendingAgeMs: 4_000,
    inFlight: 2,
    oldestInFlightMs: 700,
    intake: "open",
    busyShare: 0.25,
    capacity: 200,
    leaseMs: 60_000,
    host: "host-1",
    pid: 17,
    version: "1.0.0",
    isAlone: false,
    parked: null,
    blockedKeys: null,
    ...changes,
  };
}

export function groupReport(changes: Partial<GroupReport> = {}): GroupReport {
  return {
    group: "billing",
    health: "OK",
    reason: "it keeps up",
    pause: null,
    rateLimit: null,
    backlog: { messages: 11, source: "server" },
    pending: 3,
    oldestWaitingAgeMs: 2_500,
    oldestPendingAgeMs: 4_000,
    oldestOfferableMs: 2_500,
    released: { messages: 1, oldestMs: 800 },
    later: { messages: 1, oldestAgeMs: 4_000, overdueMs: 300 },
    inPerSecond: 10,
    outPerSecond: 9.5,
    deadLetters: 2,
    lastDeliveredId: "1700000000000-5",
    retention: { neededFromId: "1700000000000-1", pins: true, unreadLost: 0, pendingLost: false },
    consumers: [consumerReport()],
    ...changes,
  };
}

export function monitorReport(changes: Partial<MonitorReport> = {}): MonitorReport {
  return {
    v: 1,
    atMs: 1_700_000_010_000,
    stream: "orders",
    length: 100,
    groups: [groupReport()],
    retention: { safeId: "1700000000000-1", pinnedBy: "billing", warnings: [] },
    ...changes,
  };
}
