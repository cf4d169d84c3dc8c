import type { RedriveCounts } from "@redis-batch/core";
import { describeCount } from "@redis-batch/core/internal/errors";
import type { Run } from "../command.ts";
import { withStream } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import { planFirst } from "../plan.ts";
import type { redrive } from "../table/dead-letters.ts";
import { choose, countChosen, withLetters } from "./letters.ts";

export const run: Run<typeof redrive> = (call) =>
  withLetters(call, async (deadLetters) => {
    const { options, terminal, signal } = call;
    const toStream = options["to-stream"];
    // Before the plan: messages in a plain stream beside the partitions would be read by nobody.
    if (toStream !== undefined) await withStream({ ...call, args: { stream: toStream } }, async () => {});
    const chosen = choose(call.args.id, options);
    const plan = await countChosen(call, deadLetters, chosen, options.limit);
    return planFirst(terminal, options, plan, async () => {
      const settings = {
        ifTrimmed: options["if-trimmed"],
        toStream,
        perSecond: options.rate,
        signal,
        onProgress: ({ redriven, added, skipped }: RedriveCounts) =>
          terminal.progress(`${redriven + added} redriven, ${skipped} skipped`),
      };
      const report = await deadLetters.redrive(
        chosen.kind === "ids"
          ? { ids: chosen.ids, ...settings }
          : { filter: chosen.filter, limit: options.limit, ...settings },
      );
      const { skipped, missing } = report;
      const left = report.letters.filter((letter) => letter.kind !== "redriven");
      return {
        facts: [
          { key: "redriven", value: report.redriven, unit: "count" },
          { key: "added", title: "added as new entries", value: report.added, unit: "count" },
          { key: "skipped", value: report.skipped, unit: "count" },
          { key: "missing", title: "not found", value: report.missing, unit: "count" },
          { key: "next", value: report.next },
        ],
        table: {
          key: "letters",
          columns: [{ key: "id" }, { key: "kind", title: "result" }, { key: "why" }],
          rows: left.map((letter) => ({
            id: letter.id,
            kind: letter.kind,
            why: letter.kind === "skipped" ? letter.why : letter.kind === "added" ? letter.entryId : null,
          })),
          none: "All dead letters were redriven.",
        },
        rest:
          skipped + missing === 0
            ? undefined
            : new Failure(
                "refused",
                `not redriven: ${describeCount(skipped, "dead letter")} that stayed, and ${missing} that ${missing === 1 ? "was" : "were"} not found`,
                "the table says why; --if-trimmed add adds messages again whose entries are no longer in the stream",
              ),
      };
    });
  });
