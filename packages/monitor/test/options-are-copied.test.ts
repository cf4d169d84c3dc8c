/** What is changed in options after they were given changes nothing. */
import { sealable, uniqueName, useServer } from "@redis-batch/test-support";
import { expect, it } from "vitest";
import { Alerts, Monitor, startMetricsServer } from "../src/index.ts";

const redis = useServer();

it("options are copied by a monitor, its alerts, and its server of metrics", async () => {
  const made = sealable({ redis: { ...redis.server.options }, stream: uniqueName("stream"), groups: "all" as const });
  await using monitor = new Monitor(made.options);
  made.seal();
  const alerting = sealable({ webhookUrl: "http://127.0.0.1:1", webhookHeaders: { authorization: "x" }, drainMs: 0 });
  await using alerts = new Alerts({ ...alerting.options, observer: () => {} });
  alerting.seal();
  const serving = sealable({ port: 0, tally: [], perConsumer: true });
  await using server = await startMetricsServer({ ...serving.options, source: () => monitor.inspect() });
  serving.seal();
  const report = await monitor.inspect();
  alerts.observe(report);
  expect(report.groups).toEqual([]);
  expect((await fetch(`${server.url}/metrics`)).status).toBe(200);
});
