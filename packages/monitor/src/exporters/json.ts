import { encodeShownJson } from "@redis-batch/core/internal/names";
import type { MonitorReport } from "../report.ts";

/** The complete report as JSON text. Unknown values are `null`; bytes in names that are not UTF-8 are written as `\xff`. */
export function toJSON(report: MonitorReport, { indent = 0 }: { readonly indent?: number } = {}): string {
  return encodeShownJson(report, indent);
}
