import { RUN_SPEC } from "@redis-batch/monitor/spec";
import { flagOf } from "../command-line/flag-of.ts";
import { defineOptions } from "../command-line/spec.ts";

/** For commands that change something: the plan comes first. */
export const PLAN_OPTIONS = defineOptions({
  yes: { kind: "flag", short: "y", about: "carry out the plan; without it nothing changes" },
  "dry-run": { kind: "flag", about: "only show the plan, and exit with 0" },
});

/** For commands that ask before they touch a server that is not on this machine. */
export const ASK_OPTIONS = defineOptions({
  yes: { kind: "flag", short: "y", about: "do not ask, although the server is not on this machine" },
});

/** For commands that list something: again and again. */
export const WATCH_OPTIONS = defineOptions({
  watch: { kind: "flag", short: "w", about: "repeat, until Ctrl-C" },
  interval: flagOf(RUN_SPEC.intervalMs, { default: "2s" }),
});

/** Which streams are looked at. */
export const STREAMS_OPTIONS = defineOptions({
  match: { kind: "text", value: "glob", about: "only streams whose names match, such as 'orders:*'" },
  limit: { kind: "number", value: "n", min: 1, max: 100_000, default: 1_000, about: "maximum number of streams" },
});

/** Selects dead letters. */
export const LETTER_OPTIONS = defineOptions({
  reason: {
    kind: "text",
    value: "word",
    about: "only this reason: rejected, maxDeliveries, hung, undecodable, blocks-key",
  },
  error: { kind: "text", value: "text", about: "only errors that contain this text, in upper or lower case" },
  since: {
    kind: "text",
    value: "when",
    about: "dead-lettered at this time or later: 2h (ago), or 2026-01-31T12:00:00Z",
  },
  before: { kind: "text", value: "when", about: "dead-lettered before this time" },
});
