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
 * Shows the plan, or with `--yes` carries it out and shows what came of it. A plan that changes nothing ends with 0;
 * one that would change something and was not told to ends with `refused`, unless only the plan was asked for.
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
    terminal.note("nothing was changed: --yes carries it out");
    return "refused";
  }
  const done = await carryOut();
  await terminal.report({ ...done, facts: [...(done.facts ?? []), { key: "done", value: true }] }, options.json);
  return "ok";
}
