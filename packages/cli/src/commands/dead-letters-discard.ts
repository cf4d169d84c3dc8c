import type { Run } from "../command.ts";
import { planFirst } from "../plan.ts";
import type { discard } from "../table/dead-letters.ts";
import { choose, countChosen, withLetters } from "./letters.ts";

export const run: Run<typeof discard> = (call) =>
  withLetters(call, async (deadLetters) => {
    const { options, terminal, signal } = call;
    const chosen = choose(call.args.id, options);
    const plan = await countChosen(call, deadLetters, chosen, options.limit);
    return planFirst(terminal, options, plan, async () => {
      const settings = {
        signal,
        onProgress: ({ discarded }: { readonly discarded: number }) => terminal.progress(`${discarded} discarded`),
      };
      const discarded = await deadLetters.discard(
        chosen.kind === "ids"
          ? { ids: chosen.ids, ...settings }
          : { filter: chosen.filter, limit: options.limit, ...settings },
      );
      return { facts: [{ key: "discarded", value: discarded, unit: "count" }] };
    });
  });
