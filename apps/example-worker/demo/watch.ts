import { Monitor, renderTable } from "@redis-batch/monitor";

/** Messages that the monitor gave from one consumer to another. */
export interface HandedOver {
  readonly from: string;
  readonly to: string;
  readonly messages: number;
}

// Often enough for the demo's short lease.
const LOOK_EVERY_MS = 250;

/** The monitor at work beside the workers: sees who dies, and hands over what is left behind. */
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
    // Whoever ends the demo is told when it is closed.
    this.#running.catch(() => undefined);
  }

  get handedOver(): readonly HandedOver[] {
    return this.#handedOver;
  }

  /** What the monitor saw when it first found this consumer dead, as a table; `undefined` before. */
  tableOfDeath(consumer: string): string | undefined {
    return this.#tablesOfDeath.get(consumer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#monitor.close();
    await this.#running;
  }
}
