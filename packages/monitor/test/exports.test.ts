/** Metrics and alerts of a real monitor on a real server. */
import { EventRecorder, eventually, useServer } from "@redis-batch/test-support";
import { expect, it } from "vitest";
import { Alerts, type AlertsEvent, type Monitor, MonitorTally, startMetricsServer } from "../src/index.ts";
import { parseExposition } from "./exposition.ts";
import { LEASE_MS, useBench } from "./harness.ts";

const bench = useBench(useServer());
const LONG_AGO_MS = 10 * LEASE_MS;

it("what a monitor sees and does is served to Prometheus, clean-up included", async () => {
  const { monitor: open, stream, group, createGroup, add, read, heartbeat, age } = bench();
  await createGroup();
  await add(10);
  await heartbeat("gone", { agoMs: LONG_AGO_MS });
  await heartbeat("here");
  await age("gone", await read("gone", 2));
  await read("here", 4);
  const tally = new MonitorTally(stream);
  const { monitor } = open({ observer: tally.observe });
  await using server = await startMetricsServer({ source: () => monitor.inspect(), tally, port: 0 });
  const scrape = async (): Promise<Map<string, number>> => {
    const families = parseExposition(await (await fetch(`${server.url}/metrics`)).text(), "text");
    return new Map(
      families.flatMap(({ samples }) =>
        samples.map(({ name, labels, value }) => [`${name} ${Object.values(labels).slice(1).join(" ")}`.trim(), value]),
      ),
    );
  };

  const before = await scrape();
  expect(Object.fromEntries(before)).toMatchObject({
    redis_batch_stream_entries: 10,
    [`redis_batch_group_backlog_messages ${group}`]: 4,
    [`redis_batch_group_pending_messages ${group}`]: 6,
    [`redis_batch_group_consumers ${group} ok`]: 1,
    [`redis_batch_group_consumers ${group} dead`]: 1,
    [`redis_batch_consumer_status ${group} gone dead`]: 1,
    [`redis_batch_consumer_pending_messages ${group} gone`]: 2,
    [`redis_batch_consumer_pending_messages ${group} here`]: 4,
    [`redis_batch_consumer_lease_seconds ${group} here`]: LEASE_MS / 1_000,
    redis_batch_monitor_connected: 1,
    redis_batch_monitor_passes_total: 1,
    redis_batch_monitor_handed_over_messages_total: 0,
  });
  expect(before.has(`redis_batch_group_added_messages_per_second ${group}`)).toBe(false);

  await monitor.cleanUp();
  const after = await scrape();
  expect(Object.fromEntries(after)).toMatchObject({
    [`redis_batch_group_consumers ${group} dead`]: 0,
    [`redis_batch_consumer_pending_messages ${group} here`]: 4,
    [`redis_batch_group_released_messages ${group}`]: 2,
    redis_batch_monitor_handed_over_messages_total: 2,
    redis_batch_monitor_removed_consumers_total: 1,
    // Two for the clean-up, which watches a late heartbeat.
    redis_batch_monitor_passes_total: 4,
  });
  expect(after.has(`redis_batch_consumer_pending_messages ${group} gone`)).toBe(false);
  expect(after.has(`redis_batch_group_added_messages_per_second ${group}`)).toBe(true);
});

it("a consumer that dies raises one alert however long it is dead, which ends when it is back", async () => {
  const { monitor: open, stream, group, createGroup, add, read, heartbeat } = bench();
  await createGroup();
  await add(1);
  await heartbeat("worker");
  await read("worker", 1);
  const events = new EventRecorder<AlertsEvent>();
  await using alerts = new Alerts({ observer: events.observe, fireAfterPasses: 6, resolveAfterPasses: 2 });
  let looks = 0;
  const { monitor }: { monitor: Monitor } = open({
    observer: (event) => {
      if (event.type !== "inspected" || monitor.lastReport === null) return;
      looks++;
      alerts.observe(monitor.lastReport);
    },
  });
  const stop = new AbortController();
  const running = monitor.run({ intervalMs: 100, signal: stop.signal });
  const pass = async (more: number): Promise<void> => {
    const until = looks + more;
    await eventually("some more looks", () => looks >= until);
  };

  await pass(3);
  expect(events.events).toEqual([]);
  await heartbeat("worker", { agoMs: LONG_AGO_MS });
  const { notice } = await events.waitFor("notice");
  expect(notice).toMatchObject({ kind: "firing", stream, group, consumer: "worker", from: null, to: "DEAD" });
  await pass(10);
  expect(events.all("notice").filter(({ notice: { consumer } }) => consumer === "worker")).toHaveLength(1);
  await heartbeat("worker");
  const resolved = await events.waitFor(
    (event) => event.type === "notice" && event.notice.kind === "resolved" && event.notice.consumer === "worker",
  );
  expect(resolved).toMatchObject({ notice: { key: notice.key, from: "DEAD", to: "OK" } });
  stop.abort();
  await running;
});
