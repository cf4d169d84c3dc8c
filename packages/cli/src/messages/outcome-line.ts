import { isEntryId } from "@redis-batch/core";

/** The outcome of one message, from a line of a command's output. */
export type OutcomeLine =
  | { readonly kind: "ack"; readonly id: string }
  | { readonly kind: "retry"; readonly id: string; readonly reason: string }
  | { readonly kind: "dead-letter"; readonly id: string; readonly reason: string };

/** Reads `ack <id>`, `retry <id> [reason]`, `dead-letter <id> [reason]`; `undefined` for any other line. */
export function parseOutcomeLine(line: string): OutcomeLine | undefined {
  const [, kind, id = "", reason = ""] = /^(ack|retry|dead-letter) (\S+)(?: (.*))?$/.exec(line.trim()) ?? [];
  if (!isEntryId(id)) return undefined;
  if (kind === "ack") return { kind, id };
  return kind === "retry" || kind === "dead-letter" ? { kind, id, reason } : undefined;
}
