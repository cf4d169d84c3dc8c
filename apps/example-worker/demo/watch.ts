import { Monitor, renderTable } from "@redis-batch/monitor";

/** Messages that the monitor handed over. */
export interface HandedOver {
  readonly from: string;
  readonly to: string;
  readonly messages: number;
}

// Often enough for the demo's short lease.
const LOOK_EVERY_MS = 250;

/** Runs the monitor beside the workers: it notices dead workers, and hands over their messages. */
export class Watch implements AsyncDisposable {
  readonly #monitor: Monitor;
  readonly #running: Promise<void>;
  readonly #handedOver: HandedOver[] = [];
  readonly #tablesOfDeath = new Map<string, string>();

  constructor({ url, stream, group }: { readonly url: string; readonly stream: string; readonly group: string }) {
    this.#monitor = new Monitor({
      ...{ redis: url, stream, group },
      observer: (event) => {
        if (event.type === "handedOver") this.#handedOver.push(event);
        const report = this.#monitor.lastReport;
        if (event.type !== "consumerChanged" || event.to !== "DEAD" || report === null) return;
        this.#tablesOfDeath.set(event.consumer, renderTable(report));
      },
    });
    this.#running = this.#monitor.run({ intervalMs: LOOK_EVERY_MS, autoCleanUp: true });
    // Its result is awaited by close().
    this.#running.catch(() => undefined);
  }

  get handedOver(): readonly HandedOver[] {
    return this.#handedOver;
  }

  /** The monitor's table when it first found this consumer dead; `undefined` before. */
  tableOfDeath(consumer: string): string | undefined {
    return this.#tablesOfDeath.get(consumer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#monitor.close();
    await this.#running;
  }
}
