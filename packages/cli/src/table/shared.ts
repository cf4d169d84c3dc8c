import { defineOptions } from "../command-line/spec.ts";

/** For commands that change something: the plan comes first. */
export const PLAN_OPTIONS = defineOptions({
  yes: { kind: "flag", short: "y", about: "carry out the plan; without it nothing changes" },
  "dry-run": { kind: "flag", about: "only show the plan, and exit with 0" },
});

/** Selects dead letters. */
export const LETTER_OPTIONS = defineOptions({
  reason: {
    kind: "text",
    value: "word",
    about: "only this reason: rejected, maxDeliveries, hung, undecodable, blocks-key",
  },
  since: {
    kind: "text",
    value: "when",
    about: "dead-lettered at this time or later: 2h (ago), or 2026-01-31T12:00:00Z",
  },
  before: { kind: "text", value: "when", about: "dead-lettered before this time" },
});
