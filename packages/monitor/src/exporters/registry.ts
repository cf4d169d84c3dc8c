import { describeThrown } from "@redis-batch/core/internal/errors";
import { systemClock, Warnings } from "@redis-batch/core/internal/service";
import { collectFamilies, type Family, METRICS, type MetricsOptions, type Reports } from "./samples.ts";

/** The required part of a registry, which `prom-client` and its successor `@prometheus-io/client` have. */
export interface MetricsRegistry {
  registerMetric(metric: never): void;
  removeSingleMetric(name: string): void;
}

/** Where the reports come from: the last one of a running monitor, or a fresh one (`() => monitor.inspect()`). */
export type ReportSource = () => Reports | Promise<Reports>;

/** A metric as both client libraries use it: they only read its values. */
interface CollectedMetric {
  /** Both libraries rename counters in OpenMetrics. */
  name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: "first";
  get(): Promise<object>;
  reset(): void;
}

/**
 * Adds the metrics of `toPrometheus` to a registry of `prom-client` or `@prometheus-io/client`. The source is called once
 * per scrape. If it fails, there are no series and a process warning, so that the registry's other metrics are served.
 *
 * @returns a function that removes the metrics again
 * @throws the registry's error if it already has metrics of these names; none is added then
 */
export function registerInto(
  registry: MetricsRegistry,
  source: ReportSource,
  options: MetricsOptions = {},
): () => void {
  const families = oncePerScrape(source, options);
  const registered: string[] = [];
  const unregister = (): void => {
    for (const name of registered.splice(0)) registry.removeSingleMetric(name);
  };
  try {
    for (const { name, type, help, labels } of METRICS) {
      const metric: CollectedMetric = {
        name,
        help,
        type,
        // Cluster workers that share a registry see the same stream: adding up their values would be wrong.
        aggregator: "first",
        async get() {
          const samples = (await families()).find(({ metric: { name: one } }) => one === name)?.samples ?? [];
          const values = samples.map(({ subject, state, value }) => {
            const texts = state === null ? subject.names : [...subject.names, state];
            return { labels: Object.fromEntries(labels.map((label, at) => [label, texts[at]])), value };
          });
          return { name: this.name, help, type, aggregator: "first", values };
        },
        reset() {},
      };
      registry.registerMetric(metric as never);
      registered.push(name);
    }
  } catch (error) {
    unregister();
    throw error;
  }
  return unregister;
}

/** A registry reads all its metrics together: those calls share one report. */
function oncePerScrape(source: ReportSource, options: MetricsOptions): () => Promise<readonly Family[]> {
  const warnings = new Warnings(systemClock);
  let running: Promise<readonly Family[]> | undefined;
  const collect = async (): Promise<readonly Family[]> => {
    try {
      return collectFamilies(await source(), options);
    } catch (error) {
      warnings.say("metrics", `the monitor's metrics could not be collected: ${describeThrown(error)}`);
      return [];
    }
  };
  return () => {
    if (running === undefined) {
      running = collect();
      queueMicrotask(() => {
        running = undefined;
      });
    }
    return running;
  };
}
