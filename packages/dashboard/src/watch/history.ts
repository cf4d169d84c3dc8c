/** What the groups were like during the last hour: one point each ten seconds, in memory. */

/** The time between two points. */
export const POINT_MS = 10_000;
const POINTS = 360;
// Seven digits are enough for a chart.
const COLUMNS = ["waiting", "pending", "ageMs", "inPerSecond", "outPerSecond", "deadLetters", "consumers"] as const;

/** What is kept of each point; `null` where it was unknown. */
export type HistoryPoint = Readonly<Record<(typeof COLUMNS)[number], number | null>>;

/** Columns of equal length: `atMs` and one for each value. */
export type HistoryColumns = Readonly<Record<(typeof COLUMNS)[number], readonly (number | null)[]>> & {
  readonly atMs: readonly number[];
};

/** The last hour of one group. */
export class History {
  readonly #values = new Float32Array(POINTS * COLUMNS.length).fill(Number.NaN);
  readonly #bucketOf = new Float64Array(POINTS).fill(-1);

  /** Takes in what a look saw. Of several looks within one point the last one counts. */
  add(atMs: number, point: HistoryPoint): void {
    const bucket = Math.floor(atMs / POINT_MS);
    const slot = bucket % POINTS;
    this.#bucketOf[slot] = bucket;
    for (const [at, column] of COLUMNS.entries()) {
      this.#values[slot * COLUMNS.length + at] = point[column] ?? Number.NaN;
    }
  }

  /** The points from `sinceMs` on, oldest first. Points without a look are left out. */
  read(nowMs: number, sinceMs = 0): HistoryColumns {
    const columns = COLUMNS.map((column) => [column, this.column(column, nowMs, sinceMs)]);
    const atMs = this.#buckets(nowMs, sinceMs).map((bucket) => bucket * POINT_MS);
    return { atMs, ...Object.fromEntries(columns) } as HistoryColumns;
  }

  /** One of the columns. */
  column(name: keyof HistoryPoint, nowMs: number, sinceMs = 0): readonly (number | null)[] {
    const at = COLUMNS.indexOf(name);
    return this.#buckets(nowMs, sinceMs).map((bucket) => {
      const value = this.#values[(bucket % POINTS) * COLUMNS.length + at] ?? Number.NaN;
      return Number.isNaN(value) ? null : value;
    });
  }

  /** The points that there are. */
  #buckets(nowMs: number, sinceMs: number): readonly number[] {
    const last = Math.floor(nowMs / POINT_MS);
    const found: number[] = [];
    for (let bucket = Math.max(last - POINTS + 1, Math.floor(sinceMs / POINT_MS)); bucket <= last; bucket++) {
      if (this.#bucketOf[bucket % POINTS] === bucket) found.push(bucket);
    }
    return found;
  }
}
