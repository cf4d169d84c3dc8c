/** The options of the executor that runs a command, beside those of the command. Each is written here, and nowhere else. */
import type { OptionSpecs } from "@redis-batch/core/internal/options";

export const COMMAND_SPEC = {
  /** Maximum run time, in milliseconds, 100 to 600,000. Default 30,000. Then it is killed. */
  timeoutMs: {
    ...{ kind: "milliseconds", min: 100, max: 600_000, default: 30_000 },
    about: "maximum time of the command before it is killed",
  },
} as const satisfies OptionSpecs;
