import { type Decision, Scaler } from "@redis-batch/scaler";

// Often enough for work that takes seconds.
const LOOK_EVERY_MS = 250;

/** What the scaler would do, with each of its two strategies; it only watches. */
export class Advice implements AsyncDisposable {
  readonly #ratio: Adviser;
  readonly #throughput: Adviser;

  constructor(place: { readonly url: string; readonly stream: string; readonly group: string }) {
    this.#ratio = new Adviser(place, "ratio");
    this.#throughput = new Adviser(place, "throughput");
  }

  /** The last decisions while messages were waiting, and the one after that. */
  async lines(): Promise<readonly string[]> {
    const [working, after] = [this.#ratio.busy, await this.#ratio.now()];
    const byThroughput = this.#throughput.busy ?? (await this.#throughput.now());
    return [
      ...(working === null ? [] : [`scaler      while working: ${inWords(working)}`]),
      `scaler      done:          ${inWords(after)}`,
      `scaler      by throughput: ${inWords(byThroughput)}`,
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#ratio.close(), this.#throughput.close()]);
  }
}

/** Such as `OUT, rate 100 (9,000 waiting and 300 pending …; go from 3 to 4)`. */
function inWords({ direction, rate, reason }: Decision): string {
  return `${direction}, rate ${rate} (${reason})`;
}

class Adviser {
  readonly #scaler: Scaler;
  readonly #running: Promise<void>;
  #busy: Decision | null = null;

  constructor(
    { url, stream, group }: { readonly url: string; readonly stream: string; readonly group: string },
    strategy: "ratio" | "throughput",
  ) {
    this.#scaler = new Scaler({
      ...{ redis: url, stream, group, strategy },
      observer: (event) => {
        if (event.type === "decided" && isBusy(event.decision)) this.#busy = event.decision;
      },
    });
    this.#running = this.#scaler.run({ intervalMs: LOOK_EVERY_MS });
    // Its result is awaited by close().
    this.#running.catch(() => undefined);
  }

  /** The last decision while messages waited that was based on measurements; `null` if there was none. */
  get busy(): Decision | null {
    return this.#busy;
  }

  now(): Promise<Decision> {
    return this.#scaler.decide();
  }

  async close(): Promise<void> {
    await this.#scaler.close();
    await this.#running;
  }
}

function isBusy(decision: Decision): boolean {
  if (decision.strategy === "ratio") return (decision.inputs.waiting ?? 0) > 0 && decision.inputs.pending > 0;
  return decision.terms !== null && (decision.inputs.backlog?.waiting ?? 0) > 0;
}
