import type { Run } from "../command.ts";
import { chooseContext, contextsPath, readContexts, writeContexts } from "../connection/contexts.ts";
import type { contextUse } from "../table/setup.ts";

export const run: Run<typeof contextUse> = async ({ args, options, terminal }) => {
  const path = contextsPath(terminal.env);
  const contexts = readContexts(path);
  chooseContext(contexts, args.name);
  writeContexts(path, { ...contexts, current: args.name });
  await terminal.report({ facts: [{ key: "current", value: args.name }] }, options.json);
};
