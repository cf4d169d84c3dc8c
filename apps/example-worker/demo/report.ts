import { type Check, count } from "./checks.ts";
import type { YearTotals } from "./stored-commits.ts";
import { renderTable } from "./table.ts";
import { type WorkerTally, workedSeconds, workerName } from "./worker-tally.ts";

/**
 * The work of each worker: messages per second over the total time. `killed` has the indexes of the killed workers.
 */
export function renderWorkers(tallies: readonly WorkerTally[], killed: ReadonlySet<number>): readonly string[] {
  const seconds = workedSeconds(tallies);
  const row = (name: string, messages: number, batches: number, redelivered: number): readonly string[] => [
    name,
    count(messages),
    count(batches),
    count(redelivered),
    count(messages / seconds),
  ];
  return renderTable({
    header: ["workers", "messages", "batches", "redelivered", "messages/s"],
    rows: tallies.map(({ messages, batches, redelivered }, place) =>
      row(`${workerName(place)}${killed.has(place) ? ", killed" : ""}`, messages, batches, redelivered),
    ),
    footer: row(
      `total, ${seconds.toFixed(1)} s`,
      tallies.reduce((total, { messages }) => total + messages, 0),
      tallies.reduce((total, { batches }) => total + batches, 0),
      tallies.reduce((total, { redelivered }) => total + redelivered, 0),
    ),
  });
}

/** The contents of the database, by year. */
export function renderYears(years: readonly YearTotals[]): readonly string[] {
  const row = (name: string, ...counts: readonly number[]): readonly string[] => [name, ...counts.map(count)];
  const total = (read: (year: YearTotals) => number): number => years.reduce((sum, year) => sum + read(year), 0);
  return renderTable({
    header: ["year", "commits", "insertions", "deletions"],
    rows: years.map(({ year, commits, insertions, deletions }) => row(year, commits, insertions, deletions)),
    footer: row(
      "total",
      total((year) => year.commits),
      total((year) => year.insertions),
      total((year) => year.deletions),
    ),
  });
}

/** One line per check; `paint` colours the marks. */
export function renderChecks(checks: readonly Check[], paint: (mark: string, passed: boolean) => string): string[] {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks.map(
    ({ name, passed, finding }) => `${paint(passed ? "✓" : "✗", passed)} ${name.padEnd(width)}  ${finding}`,
  );
}
