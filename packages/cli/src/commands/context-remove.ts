import type { Run } from "../command.ts";
import { changeContexts, chooseContext, contextsPath } from "../connection/contexts.ts";
import type { contextRemove } from "../table/setup.ts";

export const run: Run<typeof contextRemove> = async ({ args, options, terminal }) => {
  await changeContexts(contextsPath(terminal.env), ({ current, all }) => {
    chooseContext({ current, all }, args.name);
    const rest = new Map(all);
    rest.delete(args.name);
    return { current: current === args.name ? undefined : current, all: rest };
  });
  await terminal.report({ facts: [{ key: "removed", value: args.name }] }, options.json);
};
