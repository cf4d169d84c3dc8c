import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyReport } from "../../test/arbitrary-report.ts";
import { parseExposition, type ReadFamily } from "../../test/exposition.ts";
import { consumerReport, groupReport, monitorReport } from "../../test/report-samples.ts";
import type { GroupReport, MonitorReport } from "../report.ts";
import { toPrometheus } from "./prometheus.ts";
import { METRICS } from "./samples.ts";
import { MonitorTally } from "./tally.ts";

function readings(families: readonly ReadFamily[], name: string): Record<string, number> {
  const samples = families.find((family) => family.name === name)?.samples ?? [];
  return Object.fromEntries(samples.map(({ labels, value }) => [Object.values(labels).join(" "), value]));
}

const read = (report: MonitorReport): ReadFamily[] => parseExposition(toPrometheus(report), "text");

describe("toPrometheus", () => {
  it("writes help, type and one line per series", () => {
    expect(toPrometheus(monitorReport()).split("\n").slice(0, 6)).toEqual([
      "# HELP redis_batch_stream_inspected_timestamp_seconds Time of the last pass, by the Redis server's clock, in seconds since 1970",
      "# TYPE redis_batch_stream_inspected_timestamp_seconds gauge",
      'redis_batch_stream_inspected_timestamp_seconds{stream="orders"} 1700000010',
      "# HELP redis_batch_stream_entries Entries in the stream",
      "# TYPE redis_batch_stream_entries gauge",
      'redis_batch_stream_entries{stream="orders"} 100',
    ]);
  });

  it("turns milliseconds into seconds", () => {
    const families = read(monitorReport());
    expect(readings(families, "redis_batch_group_oldest_waiting_age_seconds")).toEqual({ "orders billing": 2.5 });
    expect(readings(families, "redis_batch_consumer_idle_seconds")).toEqual({ "orders billing worker-1": 1.5 });
    expect(readings(families, "redis_batch_consumer_lease_seconds")).toEqual({ "orders billing worker-1": 60 });
  });

  it("leaves out what is not known instead of writing 0", () => {
    const families = read(
      monitorReport({
        length: null,
        groups: [
          groupReport({
            backlog: { messages: null, source: "unknown" },
            outPerSecond: null,
            consumers: [consumerReport({ inFlight: null })],
          }),
        ],
      }),
    );
    for (const name of [
      "redis_batch_stream_entries",
      "redis_batch_group_backlog_messages",
      "redis_batch_group_backlog_is_lower_bound",
      "redis_batch_group_finished_messages_per_second",
      "redis_batch_consumer_in_flight_messages",
    ]) {
      expect(families.map((family) => family.name)).not.toContain(name);
    }
  });

  it("tells a bound from a number", () => {
    const families = read(
      monitorReport({ groups: [groupReport({ backlog: { messages: 1_000, source: "at least" } })] }),
    );
    expect(readings(families, "redis_batch_group_backlog_messages")).toEqual({ "orders billing": 1_000 });
    expect(readings(families, "redis_batch_group_backlog_is_lower_bound")).toEqual({ "orders billing": 1 });
  });

  it("shows exactly one health and one status as 1, and counts consumers by status", () => {
    const families = read(
      monitorReport({
        groups: [
          groupReport({
            health: "FALLING BEHIND",
            consumers: [consumerReport(), consumerReport({ consumer: "worker-2", status: "DEAD" })],
          }),
        ],
      }),
    );
    expect(readings(families, "redis_batch_group_health")).toEqual({
      "orders billing ok": 0,
      "orders billing falling_behind": 1,
      "orders billing stalled": 0,
      "orders billing stopped": 0,
      "orders billing failing": 0,
      "orders billing rewound": 0,
      "orders billing ahead": 0,
      "orders billing paused": 0,
      "orders billing unknown": 0,
    });
    expect(readings(families, "redis_batch_consumer_status")).toMatchObject({
      "orders billing worker-2 dead": 1,
      "orders billing worker-2 ok": 0,
    });
    expect(readings(families, "redis_batch_group_consumers")).toEqual({
      "orders billing ok": 1,
      "orders billing too_many_pending": 0,
      "orders billing idle": 0,
      "orders billing stalled": 0,
      "orders billing failing": 0,
      "orders billing paused": 0,
      "orders billing backing_off": 0,
      "orders billing held_up": 0,
      "orders billing draining": 0,
      "orders billing left": 0,
      "orders billing dead": 1,
    });
  });

  it("tells how long what could be offered has waited, and that nothing is not unknown", () => {
    const wait = (changes: Partial<GroupReport>): unknown =>
      readings(read(monitorReport({ groups: [groupReport(changes)] })), "redis_batch_group_oldest_offerable_seconds");
    expect(wait({ oldestOfferableMs: 2_500 })).toEqual({ "orders billing": 2.5 });
    const nothing = {
      ...{ oldestOfferableMs: null, released: { messages: 0, oldestMs: null } },
      later: { messages: 0, oldestAgeMs: null, overdueMs: null },
    };
    expect(wait({ ...nothing, backlog: { messages: 0, source: "server" } })).toEqual({ "orders billing": 0 });
    expect(wait({ ...nothing, backlog: { messages: null, source: "unknown" } })).toEqual({});
  });

  it("leaves the series per consumer out on request, and keeps their counts", () => {
    const text = toPrometheus(monitorReport(), { perConsumer: false });
    expect(text).not.toContain("worker-1");
    expect(text).toContain('redis_batch_group_consumers{stream="orders",group="billing",status="ok"} 1');
  });

  it("writes each metric once for several streams", () => {
    const text = toPrometheus([monitorReport(), monitorReport({ stream: "mails" })]);
    expect(readings(parseExposition(text, "text"), "redis_batch_stream_entries")).toEqual({ orders: 100, mails: 100 });
  });

  it("keeps one series of names that cannot be told apart in UTF-8", () => {
    const twins = ["\uD800", "\uDC00"].map((group) => groupReport({ group, consumers: [] }));
    expect(readings(read(monitorReport({ groups: twins })), "redis_batch_group_pending_messages")).toEqual({
      "orders \uFFFD": 3,
    });
  });

  it("writes counters of what the monitor did, in OpenMetrics without _total in the family's name", () => {
    const tally = new MonitorTally("orders");
    tally.observe({ type: "handedOver", group: "billing", from: "a", to: "b", messages: 7 });
    tally.observe({ type: "handedOver", group: "billing", from: "a", to: "c", messages: 5 });
    const openmetrics = toPrometheus(null, { tally, format: "openmetrics" });
    expect(openmetrics).toContain("# TYPE redis_batch_monitor_handed_over_messages counter\n");
    expect(openmetrics).toContain('redis_batch_monitor_handed_over_messages_total{stream="orders"} 12\n');
    expect(openmetrics).not.toContain("redis_batch_monitor_leading");
    expect(
      readings(parseExposition(toPrometheus(null, { tally }), "text"), "redis_batch_monitor_passes_total"),
    ).toEqual({ orders: 0 });
  });

  it("writes nothing where there is nothing to say", () => {
    expect(toPrometheus(null)).toBe("");
    expect(toPrometheus(null, { format: "openmetrics" })).toBe("# EOF\n");
  });

  it.each(["text", "openmetrics"] as const)(
    "is accepted by a strict reader whatever the report holds: %s",
    (format) => {
      fc.assert(
        fc.property(fc.array(anyReport, { maxLength: 2 }), fc.boolean(), (reports, perConsumer) => {
          const families = parseExposition(toPrometheus(reports, { format, perConsumer }), format);
          for (const { name, help, type, samples } of families) {
            const metric = METRICS.find((one) => one.name === name);
            expect({ help, type }).toEqual({ help: metric?.help, type: metric?.type });
            for (const { labels } of samples) expect(Object.keys(labels)).toEqual(metric?.labels);
          }
        }),
        { numRuns: 300 },
      );
    },
  );

  it("brings names back as they were, as far as they are text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (group) => {
        fc.pre(!group.includes("\0"));
        const family = read(monitorReport({ groups: [groupReport({ group })] })).find(
          ({ name }) => name === "redis_batch_group_pending_messages",
        );
        expect(family?.samples[0]?.labels["group"]).toBe(group);
      }),
    );
  });
});

describe("the metrics", () => {
  it("are called as Prometheus wants it", () => {
    for (const { name, type, unit, help } of METRICS) {
      expect(name).toMatch(/^redis_batch_(stream|group|consumer|monitor)_[a-z_]+$/);
      expect({ name, counter: name.endsWith("_total") }).toEqual({ name, counter: type === "counter" });
      expect({ name, seconds: /_seconds(_total)?$/.test(name) }).toEqual({ name, seconds: unit === "seconds" });
      expect(name).not.toMatch(/milliseconds|_ms(_|$)|gauge|counter/);
      expect(help).not.toMatch(/\.$/);
    }
    expect(new Set(METRICS.map(({ name }) => name)).size).toBe(METRICS.length);
  });
});
