/** Any report a monitor could give, hostile names and unknown values included. */
import * as fc from "fast-check";
import type { ConsumerReport, ConsumerStatus, GroupHealth, GroupReport, MonitorReport } from "../src/report.ts";

/** Whatever bytes somebody made a name of: text, quotes, line ends, NUL, halves of surrogate pairs. */
const name = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom('"', "\\", "\n", "\r\n", "\0", '\\"', "\\n", '"} 1', "a\n# EOF", "\uD800", "\uDC00", "__proto__", ""),
);
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const ms = fc.oneof(count, fc.double({ min: 0, max: 1e12, noNaN: true }));
const orNull = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> =>
  fc.option(arbitrary, { nil: null });
const entryId = fc.tuple(count, count).map(([time, sequence]) => `${time}-${sequence}` as const);

const consumer: fc.Arbitrary<ConsumerReport> = fc.record({
  consumer: name,
  status: fc.constantFrom<ConsumerStatus>(
    "OK",
    "WARNING - too many pending items",
    "WARNING - idle for long time",
    "STALLED",
    "FAILING",
    "PAUSED",
    "BACKING OFF",
    "HELD UP",
    "DRAINING",
    "LEFT",
    "DEAD",
  ),
  reason: fc.string(),
  foreign: fc.boolean(),
  idleMs: ms,
  inactiveMs: orNull(ms),
  pending: count,
  oldestPendingAgeMs: orNull(ms),
  inFlight: orNull(count),
  oldestInFlightMs: orNull(ms),
  intake: orNull(name),
  busyShare: orNull(fc.double({ min: 0, max: 1, noNaN: true })),
  capacity: count,
  leaseMs: orNull(count),
  host: orNull(name),
  pid: orNull(count),
  version: orNull(name),
  isAlone: orNull(fc.boolean()),
  parked: orNull(count),
  blockedKeys: orNull(count),
});

const group: fc.Arbitrary<GroupReport> = fc.record({
  group: name,
  health: fc.constantFrom<GroupHealth>(
    "OK",
    "FALLING BEHIND",
    "STALLED",
    "STOPPED",
    "FAILING",
    "REWOUND",
    "AHEAD",
    "PAUSED",
    "UNKNOWN",
  ),
  reason: fc.string(),
  pause: orNull(
    fc.record({
      ...{ by: name, sinceMs: count, untilMs: orNull(count), reason: orNull(fc.string()) },
      notObeyedBy: fc.array(name, { maxLength: 3 }),
    }),
  ),
  rateLimit: orNull(fc.record({ messages: count, perMs: count, differing: fc.array(name, { maxLength: 2 }) })),
  backlog: fc.oneof(
    fc.record({ messages: count, source: fc.constantFrom("server" as const, "counted" as const, "at least" as const) }),
    fc.constant({ messages: null, source: "unknown" as const }),
  ),
  pending: count,
  oldestWaitingAgeMs: orNull(ms),
  oldestPendingAgeMs: orNull(ms),
  oldestOfferableMs: orNull(ms),
  released: fc.record({ messages: count, oldestMs: orNull(ms) }),
  later: fc.record({ messages: count, oldestAgeMs: orNull(ms), overdueMs: orNull(ms) }),
  inPerSecond: orNull(ms),
  outPerSecond: orNull(ms),
  deadLetters: count,
  lastDeliveredId: entryId,
  retention: fc.record({
    neededFromId: entryId,
    pins: fc.boolean(),
    unreadLost: orNull(count),
    pendingLost: fc.boolean(),
  }),
  consumers: fc.array(consumer, { maxLength: 4 }),
});

export const anyReport: fc.Arbitrary<MonitorReport> = fc.record({
  v: fc.constant(1 as const),
  atMs: count,
  stream: name,
  length: orNull(count),
  groups: fc.array(group, { maxLength: 4 }),
  retention: fc.record({
    safeId: orNull(entryId),
    pinnedBy: orNull(name),
    warnings: fc.array(fc.string(), { maxLength: 2 }),
  }),
});
