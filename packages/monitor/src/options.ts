import {
  type DefaultsOf,
  defaultsOf,
  type OptionsOf,
  OptionsReader,
  type PolicyOf,
  type WithRedis,
} from "@redis-batch/core/internal/options";
import { CLEAN_UP_SPEC, MONITOR_SPEC, PAUSE_SPEC, RESUME_SPEC, RUN_SPEC, type TRIM_SPEC } from "./spec.ts";

export interface MonitorOptions extends WithRedis, OptionsOf<typeof MONITOR_SPEC> {}
export interface CleanUpOptions extends OptionsOf<typeof CLEAN_UP_SPEC> {}
export interface TrimOptions extends OptionsOf<typeof TRIM_SPEC> {}
export interface PauseOptions extends OptionsOf<typeof PAUSE_SPEC> {}
export interface ResumeOptions extends OptionsOf<typeof RESUME_SPEC> {}
export interface RunOptions extends OptionsOf<typeof RUN_SPEC> {}

/** The values of options that are not given. */
export const MONITOR_DEFAULTS: DefaultsOf<typeof MONITOR_SPEC> = defaultsOf(MONITOR_SPEC);

/** The values of options of `run` that are not given. */
export const RUN_DEFAULTS: DefaultsOf<typeof RUN_SPEC> = defaultsOf(RUN_SPEC);

/** The options, complete and checked. */
export interface MonitorPolicy extends Omit<PolicyOf<typeof MONITOR_SPEC>, "group" | "groups" | "graceMs"> {
  /** `null`: all groups. */
  readonly group: string | null;
  /** `null`: what the kind of consumer asks for. */
  readonly graceMs: number | null;
}

/**
 * Fills in and checks the options.
 *
 * @throws {ConfigError} naming every problem
 */
export function resolveMonitorOptions(options: MonitorOptions): MonitorPolicy {
  const reader = new OptionsReader("new Monitor", options, Object.keys(MONITOR_SPEC));
  const { group = null, groups, graceMs = null, ...policy } = reader.read(MONITOR_SPEC);
  const { idleThresholdMs } = policy;
  if (group === null && groups === undefined) reader.problem('give group, or groups: "all"');
  if (group !== null && groups !== undefined) reader.problem("group and groups exclude each other; give one");
  const foreignIdleMs = reader.has("foreignIdleMs")
    ? policy.foreignIdleMs
    : Math.max(policy.foreignIdleMs, idleThresholdMs);
  if (foreignIdleMs < idleThresholdMs) {
    reader.problem(`foreignIdleMs (${foreignIdleMs}) must not be below idleThresholdMs (${idleThresholdMs})`);
  }
  return reader.finish({ ...policy, group, graceMs, foreignIdleMs });
}

/**
 * The options of a clean-up, or of trimming, complete and checked.
 *
 * @throws {ConfigError} naming every problem
 */
export function resolveCleanUpOptions(
  subject: string,
  options: CleanUpOptions | TrimOptions,
): PolicyOf<typeof CLEAN_UP_SPEC> {
  const reader = new OptionsReader(subject, options, Object.keys(CLEAN_UP_SPEC));
  return reader.finish(reader.read(CLEAN_UP_SPEC));
}

/** The options of one run, complete and checked. */
export interface RunPolicy extends PolicyOf<typeof RUN_SPEC> {}

/** @throws {ConfigError} naming every problem */
export function resolveRunOptions(options: RunOptions): RunPolicy {
  const reader = new OptionsReader("run", options, Object.keys(RUN_SPEC));
  return reader.finish(reader.read(RUN_SPEC));
}

/** What pauses a group, complete and checked. */
export interface PausePolicy {
  readonly group: string;
  readonly by: string;
  readonly reason: string | null;
  readonly forMs: number | null;
}

// Every consumer gets them with every heartbeat.
const LONGEST_NAME = 200;
const LONGEST_REASON = 1_000;

/**
 * @param watched the monitor's group; `null`: all
 * @throws {ConfigError} naming every problem
 */
export function resolvePauseOptions(options: PauseOptions, watched: string | null): PausePolicy {
  const reader = new OptionsReader("pause", options, Object.keys(PAUSE_SPEC));
  const atMost = (most: number) => (text: string) =>
    text.length <= most ? undefined : `have at most ${most} characters`;
  const checks = { by: atMost(LONGEST_NAME), reason: atMost(LONGEST_REASON) };
  const { group = watched, by, reason = null, forMs = null } = reader.read(PAUSE_SPEC, checks);
  if (group === null) reader.problem("group is missing: this monitor watches all groups");
  return reader.finish({ group: group ?? "", by, reason, forMs });
}

/** The same for resuming → the group. */
export function resolveResumeOptions(options: ResumeOptions, watched: string | null): string {
  const reader = new OptionsReader("resume", options, Object.keys(RESUME_SPEC));
  const { group = watched } = reader.read(RESUME_SPEC);
  if (group === null) reader.problem("group is missing: this monitor watches all groups");
  return reader.finish({ group: group ?? "" }).group;
}
