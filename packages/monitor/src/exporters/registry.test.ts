import * as successor from "@prometheus-io/client";
import * as promClient from "prom-client";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseExposition } from "../../test/exposition.ts";
import { consumerReport, groupReport, monitorReport } from "../../test/report-samples.ts";
import { toPrometheus } from "./prometheus.ts";
import { registerInto } from "./registry.ts";
import { METRICS, type Reports } from "./samples.ts";
import { MonitorTally } from "./tally.ts";

const HOSTILE = 'a "quoted"\\name\nwith\0everything\uD800';

const report = monitorReport({
  stream: HOSTILE,
  groups: [
    groupReport({
      group: HOSTILE,
      outPerSecond: null,
      consumers: [consumerReport({ consumer: HOSTILE, inFlight: null })],
    }),
  ],
});

/** A registry of each library, and a gauge of the application in it. */
const libraries = {
  "prom-client": (value: number, name: string) => {
    const registry = new promClient.Registry();
    new promClient.Gauge({ name, help: "Something else", registers: [registry] }).set(value);
    return registry;
  },
  "@prometheus-io/client": (value: number, name: string) => {
    const registry = new successor.Registry();
    new successor.Gauge({ name, help: "Something else", registers: [registry] }).set(value);
    return registry;
  },
};
const openMetricsRegistries = {
  "prom-client": () => {
    const registry = new promClient.Registry<promClient.OpenMetricsContentType>();
    registry.setContentType(promClient.openMetricsContentType);
    return registry;
  },
  "@prometheus-io/client": () => {
    const registry = new successor.Registry<successor.OpenMetricsContentType>();
    registry.setContentType(successor.openMetricsContentType);
    return registry;
  },
};

describe.each(["prom-client", "@prometheus-io/client"] as const)("registerInto a registry of %s", (library) => {
  const openRegistry = (): InstanceType<typeof promClient.Registry> | InstanceType<typeof successor.Registry> => {
    const registry = libraries[library](0, "unused");
    registry.clear();
    return registry;
  };
  const tally = new MonitorTally(HOSTILE);
  tally.observe({ type: "inspected", groups: 1, consumers: 1, durationMs: 1_500 });

  it("gives the same series as the text writer", async () => {
    const registry = openRegistry();
    registerInto(registry, () => report, { tally });
    const families = parseExposition(withoutGaps(await registry.metrics()), "text");
    const filled = families.filter(({ samples }) => samples.length > 0);
    expect(filled).toEqual(parseExposition(toPrometheus(report, { tally }), "text"));
    expect(families.map(({ name }) => name)).toEqual(METRICS.map(({ name }) => name));
  });

  it("gives the same series as the text writer in OpenMetrics, scrape after scrape", async () => {
    const registry = openMetricsRegistries[library]();
    const unregister = registerInto(registry, () => report, { tally });
    await registry.metrics();
    const families = parseExposition(withoutGaps(await registry.metrics()), "openmetrics");
    expect(families.filter(({ samples }) => samples.length > 0)).toEqual(
      parseExposition(toPrometheus(report, { tally, format: "openmetrics" }), "openmetrics"),
    );
    unregister();
    expect(registry.getMetricsAsArray()).toEqual([]);
  });

  it("asks for the report at each scrape, once", async () => {
    const registry = openRegistry();
    let asked = 0;
    registerInto(registry, () => Promise.resolve(monitorReport({ length: ++asked })));
    expect(await registry.metrics()).toContain('redis_batch_stream_entries{stream="orders"} 1\n');
    expect(await registry.metrics()).toContain('redis_batch_stream_entries{stream="orders"} 2\n');
    expect(asked).toBe(2);
  });

  it("leaves series per consumer out on request, and has none without a report", async () => {
    const registry = openRegistry();
    let latest: Reports = monitorReport();
    registerInto(registry, () => latest, { perConsumer: false });
    expect(await registry.metrics()).not.toContain("worker-1");
    latest = null;
    expect(await registry.metrics()).not.toContain("{");
  });

  it("does not spoil the scrape of the other metrics when the report fails, and warns", async () => {
    const registry = libraries[library](7, "of_the_app");
    registerInto(registry, () => Promise.reject(new Error("no connection")));
    const warnings: string[] = [];
    const listen = ({ message }: Error): void => void warnings.push(message);
    process.on("warning", listen);
    onTestFinished(() => void process.off("warning", listen));
    const text = await registry.metrics();
    expect(text).toContain("of_the_app 7");
    expect(text).not.toContain("redis_batch_stream_entries{");
    await expect.poll(() => warnings).toEqual(["the monitor's metrics could not be collected: Error: no connection"]);
  });

  it("takes its metrics out again, and leaves none behind when a name is taken", async () => {
    const registry = libraries[library](7, METRICS[5]?.name ?? "");
    expect(() => registerInto(registry, () => report)).toThrow(/already been registered/);
    expect(registry.getMetricsAsArray()).toHaveLength(1);
    registry.clear();
    const unregister = registerInto(registry, () => report);
    expect(() => registerInto(registry, () => report)).toThrow(/already been registered/);
    unregister();
    expect(registry.getMetricsAsArray()).toEqual([]);
  });

  it("outlives a reset of the registry's metrics", async () => {
    const registry = openRegistry();
    registerInto(registry, () => report);
    registry.resetMetrics();
    expect(await registry.metrics()).toContain("redis_batch_stream_entries{");
  });
});

/** Both libraries put empty lines between families, which the formats allow and our strict reader does not. */
const withoutGaps = (text: string): string => text.replaceAll(/\n{2,}/g, "\n");
