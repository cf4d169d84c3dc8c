/** What changes something says first what it would change. */
import type { ExitName } from "./exit-codes.ts";
import type { Failure } from "./failure.ts";
import type { Report } from "./render/report.ts";
import type { Terminal } from "./terminal.ts";

interface PlanOptions {
  readonly yes: boolean;
  readonly "dry-run": boolean;
  readonly json: boolean;
}

export interface Plan extends Report {
  /** Set if the plan changes nothing: a sentence that says so. */
  readonly nothing?: string | undefined;
  /** Why it would not be carried out, and what to do about it. */
  readonly blocked?: Failure | undefined;
}

export const NOTHING_TO_DO = "There is nothing to do.";

export interface Outcome extends Report {
  /** What was not done although it was asked for, why, and what to do about it. */
  readonly rest?: Failure | undefined;
}

/**
 * Shows the plan, or with `--yes` carries it out and shows the result. A plan that changes nothing exits with 0. One
 * that would change something exits with `refused` without `--yes`, unless `--dry-run` asked for the plan only.
 *
 * @throws {Failure} when the plan cannot be carried out, or something is left
 */
export async function planFirst(
  terminal: Terminal,
  options: PlanOptions,
  { nothing, blocked, ...plan }: Plan,
  carryOut: () => Promise<Outcome>,
): Promise<ExitName> {
  const show = (report: Report, isDone: boolean): Promise<void> =>
    terminal.report({ ...report, facts: [...(report.facts ?? []), { key: "done", value: isDone }] }, options.json);
  if (nothing !== undefined) {
    await terminal.report({ ...plan, notes: [...(plan.notes ?? []), nothing] }, options.json);
    return "ok";
  }
  if (!options.yes || options["dry-run"] || blocked !== undefined) {
    await show(plan, false);
    if (options["dry-run"]) return "ok";
    if (blocked !== undefined) throw blocked;
    terminal.note("Nothing changed. Run again with --yes to apply.");
    return "refused";
  }
  const { rest, ...result } = await carryOut();
  await show(result, rest === undefined);
  if (rest !== undefined) throw rest;
  return "ok";
}
