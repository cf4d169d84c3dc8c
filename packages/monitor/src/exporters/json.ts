import { encodeShownJson } from "@redis-batch/core/internal";
import type { MonitorReport } from "../report.ts";

/** The report as JSON text: everything that it holds. What is not known is `null`; bytes of names that are not UTF-8 are `\xff`. */
export function toJSON(report: MonitorReport, { indent = 0 }: { readonly indent?: number } = {}): string {
  return encodeShownJson(report, indent);
}
