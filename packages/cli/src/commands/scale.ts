import { NoGroupError, RedisBatchError } from "@redis-batch/core";
import { onAbort, pause, systemClock } from "@redis-batch/core/internal/service";
import {
  type Decision,
  decide,
  emptyMemory,
  type Observation,
  resolveScalingOptions,
  Scaler,
  type ScalerMemory,
  type ScalingOptions,
  type ScalingPolicy,
} from "@redis-batch/scaler";
import type { Invocation, Run } from "../command.ts";
import { findServer, withClient } from "../connection/open.ts";
import { encodeReportJson, type Report, type Row } from "../render/report.ts";
import type { scale } from "../table/scale.ts";
import { findGroup, noteIfMissing } from "./find-group.ts";
import { SilenceWatch } from "./silence-watch.ts";

type Call = Invocation<typeof scale>;
type StrategyName = "throughput" | "ratio";

export const run: Run<typeof scale> = async (call) => {
  const { args, options, signal, terminal } = call;
  await withClient(call, async (client) => {
    if (options.watch) await noteIfMissing(client, args, terminal);
    // A mistyped name must not look like a group with nothing to do.
    else await findGroup(client, args.stream, args.group);
  });
  const judges = judgesOf(options);
  const { redis, connectTimeoutMs, observe, explain } = await findServer(call);
  const scaler = new Scaler({ redis, stream: args.stream, group: args.group, connectTimeoutMs, observer: observe });
  const watch = options.watch
    ? new SilenceWatch(options.interval, (sentence) => terminal.note(sentence, "warn"))
    : null;
  const pass = async (): Promise<void> => {
    const seen = await scaler.collect({ signal });
    watch?.answered();
    const decisions = judges.map((judge) => judge.decide(seen));
    if (watch === null) await terminal.report(reportOf(args, decisions), options.json);
    else if (options.json) await terminal.write(encodeReportJson(reportOf(args, decisions), true));
    else await terminal.write(decisions.map(renderDecision).join(""));
  };
  const stopListening = onAbort(signal, () => void scaler.close());
  try {
    if (watch === null) return await pass();
    while (!signal.aborted) {
      await pass().catch((error: unknown) => {
        if (signal.aborted || !RedisBatchError.is(error) || !error.retryable) throw error;
        terminal.note(`reading the group failed: ${error.message}; retrying`, "warn");
      });
      await pause(systemClock, options.interval, signal);
    }
  } catch (error) {
    if (signal.aborted && !NoGroupError.is(error)) return;
    throw explain(error);
  } finally {
    stopListening();
    watch?.end();
    await scaler.close();
  }
};

/** One strategy, and its memory between decisions. */
class Judge {
  readonly #policy: ScalingPolicy;
  #memory: ScalerMemory;

  constructor(policy: ScalingPolicy) {
    this.#policy = policy;
    this.#memory = emptyMemory(policy.strategy);
  }

  decide(seen: Observation): Decision {
    const { decision, memory } = decide(seen, this.#memory, this.#policy, systemClock.nowMs());
    this.#memory = memory;
    return decision;
  }
}

type ScalingCall = Pick<Call["options"], "objective" | "out-rate" | "in-rate" | "min" | "max">;

/** The options of the scaler, from those of the command line. */
export function scalingOf(strategy: StrategyName, options: ScalingCall): ScalingOptions {
  return {
    ...{ strategy, objectiveMs: options.objective },
    ...{ scaleOutRate: options["out-rate"], scaleInRate: options["in-rate"] },
    ...(options.min === undefined ? {} : { minConsumers: options.min }),
    ...(options.max === undefined ? {} : { maxConsumers: options.max }),
  };
}

function judgesOf(options: Call["options"]): readonly Judge[] {
  const names: readonly StrategyName[] = options.strategy === "both" ? ["ratio", "throughput"] : [options.strategy];
  return names.map((strategy) => new Judge(resolveScalingOptions(scalingOf(strategy, options))));
}

function reportOf({ stream, group }: Call["args"], decisions: readonly Decision[]): Report {
  return {
    facts: [
      { key: "stream", value: stream },
      { key: "group", value: group },
    ],
    table: {
      key: "decisions",
      columns: [
        { key: "strategy" },
        { key: "direction", tone: (direction) => (direction === "NO_SCALE" ? undefined : "warn") },
        { key: "current", unit: "count" },
        { key: "desired", unit: "count" },
        { key: "rate", unit: "count" },
        { key: "binding", title: "decided by" },
        { key: "reason", isProse: true },
      ],
      rows: decisions.map(rowOf),
      none: "",
    },
  };
}

/** A decision as a table row, or a line of JSON. */
export function rowOf({ strategy, direction, current, desired, rate, binding, reason }: Decision): Row {
  return { strategy, direction, current, desired, rate, binding, reason };
}

export function renderDecision({ strategy, direction, current, desired, reason }: Decision): string {
  return `${strategy}: ${direction}, ${current} -> ${desired}: ${reason}\n`;
}
