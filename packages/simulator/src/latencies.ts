/** How long messages took, to a hundredth: counts per range, so that a run of millions need not keep each of them. */

const FROM_SECONDS = 0.001;
const TO_SECONDS = 10_000_000;
const STEP = Math.log(1.01);
const STEPS = Math.ceil(Math.log(TO_SECONDS / FROM_SECONDS) / STEP) + 1;

export class Latencies {
  readonly #counts = new Float64Array(STEPS);
  #count = 0;

  add(seconds: number): void {
    const step = Math.ceil(Math.log(seconds / FROM_SECONDS) / STEP);
    const index = Math.max(0, Math.min(STEPS - 1, step));
    this.#counts[index] = (this.#counts[index] as number) + 1;
    this.#count++;
  }

  /** No more than this share took longer, in seconds; 0 when there was none. At most a hundredth above the true value. */
  quantile(share: number): number {
    let left = Math.ceil(share * this.#count);
    if (left === 0) return 0;
    const index = this.#counts.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    return FROM_SECONDS * Math.exp(index * STEP);
  }
}
