import type { MonitorReport } from "../report.ts";

/** The report as JSON text: everything that it holds. What is not known is `null`. */
export function toJSON(report: MonitorReport, { indent = 0 }: { readonly indent?: number } = {}): string {
  return JSON.stringify(report, null, indent);
}
