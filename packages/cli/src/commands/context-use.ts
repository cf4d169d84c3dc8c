import type { Run } from "../command.ts";
import { changeContexts, chooseContext, contextsPath } from "../connection/contexts.ts";
import type { contextUse } from "../table/setup.ts";

export const run: Run<typeof contextUse> = async ({ args, options, terminal }) => {
  await changeContexts(contextsPath(terminal.env), (contexts) => {
    chooseContext(contexts, args.name);
    return { ...contexts, current: args.name };
  });
  await terminal.report({ facts: [{ key: "current", value: args.name }] }, options.json);
};
