/** What changes something says first what it would change. */
import type { ExitName } from "./exit-codes.ts";
import type { Report } from "./render/report.ts";
import type { Terminal } from "./terminal.ts";

interface PlanOptions {
  readonly yes: boolean;
  readonly "dry-run": boolean;
  readonly json: boolean;
}

/**
 * Shows the plan, or with `--yes` carries it out and shows the result. A plan that changes nothing exits with 0. One
 * that would change something exits with `refused` without `--yes`, unless `--dry-run` asked for the plan only.
 */
export async function planFirst(
  terminal: Terminal,
  options: PlanOptions,
  plan: Report & { readonly isEmpty?: boolean },
  carryOut: () => Promise<Report>,
): Promise<ExitName> {
  const isPlanOnly = !options.yes || options["dry-run"];
  if (isPlanOnly || plan.isEmpty) {
    const { isEmpty, ...report } = plan;
    await terminal.report({ ...report, facts: [...(report.facts ?? []), { key: "done", value: false }] }, options.json);
    if (isEmpty || options["dry-run"]) return "ok";
    terminal.note("Nothing changed. Run again with --yes to apply.");
    return "refused";
  }
  const done = await carryOut();
  await terminal.report({ ...done, facts: [...(done.facts ?? []), { key: "done", value: true }] }, options.json);
  return "ok";
}
