import { describeCount } from "@redis-batch/core/internal/errors";
import type { Run } from "../command.ts";
import { Failure } from "../failure.ts";
import { planFirst } from "../plan.ts";
import type { discard } from "../table/dead-letters.ts";
import { choose, countChosen, LISTED, withLetters } from "./letters.ts";

export const run: Run<typeof discard> = (call) =>
  withLetters(call, async (deadLetters) => {
    const { options, terminal, signal } = call;
    const chosen = choose(call.args.id, options);
    const plan = await countChosen(call, deadLetters, chosen, options.limit);
    return planFirst(terminal, options, plan, async () => {
      const settings = {
        signal,
        perSecond: options.rate,
        onProgress: ({ discarded }: { readonly discarded: number }) => terminal.progress(`${discarded} discarded`),
      };
      const discarded = await deadLetters.discard(
        chosen.kind === "ids"
          ? { ids: chosen.ids, ...settings }
          : { filter: chosen.filter, limit: options.limit, ...settings },
      );
      const missing = chosen.kind === "ids" && !signal.aborted ? chosen.ids.length - discarded : 0;
      return {
        facts: [{ key: "discarded", value: discarded, unit: "count" }],
        rest:
          missing === 0
            ? undefined
            : new Failure("missing", `not discarded: ${describeCount(missing, "dead letter")} not found`, LISTED),
      };
    });
  });
