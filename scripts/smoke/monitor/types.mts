// What a TypeScript user of the package sees; compiled against the packed declarations by several compilers.
import { type GroupHealth, Monitor, type MonitorOptions, type MonitorReport } from "@redis-batch/monitor";
import { create } from "./types.cjs";

const options = { redis: "redis://localhost", stream: "orders", group: "billing" };

/** How each group fares. */
export async function look(): Promise<readonly (readonly [string, GroupHealth, number | null])[]> {
  const monitor = new Monitor(options);
  const report: MonitorReport = await monitor.inspect();
  await monitor.close();
  return report.groups.map(({ group, health, backlog }) => [group, health, backlog.messages] as const);
}

// One class, whichever way it is loaded.
export const created: Monitor = create();

// Declarations that could not be resolved would be `any`, and allow this.
// @ts-expect-error idleThresholdMs is a number
export const wrong = (): unknown => new Monitor({ ...options, idleThresholdMs: "long" });

// With exactOptionalPropertyTypes: an option may be given as undefined, as process.env has it.
type Unset<Options> = {
  [Name in keyof Options]: object extends Pick<Options, Name> ? Options[Name] | undefined : Options[Name];
};
export const unset = (given: Unset<MonitorOptions>): MonitorOptions => given;
