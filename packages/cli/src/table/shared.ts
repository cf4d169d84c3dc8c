import { defineOptions } from "../command-line/spec.ts";

/** For what changes something: the plan comes first. */
export const PLAN_OPTIONS = defineOptions({
  yes: { kind: "flag", short: "y", about: "carry the plan out; without it nothing is changed" },
  "dry-run": { kind: "flag", about: "only show the plan, and end with 0" },
});

/** Which dead letters are meant. */
export const LETTER_OPTIONS = defineOptions({
  reason: {
    kind: "text",
    value: "word",
    about: "given up for this reason: rejected, maxDeliveries, hung, undecodable",
  },
  since: { kind: "text", value: "when", about: "given up at this time or later: 2h (ago), or 2026-01-31T12:00:00Z" },
  before: { kind: "text", value: "when", about: "given up before this time" },
});
