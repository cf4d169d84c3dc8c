/** What tracing costs: every message with the context of a trace of its own. */
import type { Scenario } from "../scenario.ts";
import { addArena } from "./add-many.ts";
import { consumingArena, type Load } from "./consuming.ts";

const STREAM = "bench:tracing";

export const TRACING: readonly Scenario[] = [
  {
    name: "tracing-consume",
    what: "@redis-batch/opentelemetry with every span recorded, and a context in every entry, batch 100; against the same entries untraced",
    oursName: "traced",
    referenceName: "untraced",
    targets: [{ metric: "client CPU µs/message", of: "ratio", bound: "at most", value: 3 }],
    prepare: (bench) => {
      const size = bench.quick ? { messages: 75_000, warmUp: 25_000 } : { messages: 300_000, warmUp: 100_000 };
      const load: Load = { stream: STREAM, batchSize: 100, ...size, isTraced: true };
      return consumingArena(bench, load, { contender: "traced-consumer-run" }, { contender: "consumer-run" });
    },
  },
  {
    name: "tracing-add",
    what: "the same for adding: a span for each message",
    oursName: "traced",
    referenceName: "untraced",
    targets: [{ metric: "client CPU µs/message", of: "ratio", bound: "at most", value: 4 }],
    prepare: async (bench) => addArena(bench, "traced-producer-add-many", "producer-add-many"),
  },
];
