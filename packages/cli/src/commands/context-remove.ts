import type { Run } from "../command.ts";
import { chooseContext, contextsPath, readContexts, writeContexts } from "../connection/contexts.ts";
import type { contextRemove } from "../table/setup.ts";

export const run: Run<typeof contextRemove> = async ({ args, options, terminal }) => {
  const path = contextsPath(terminal.env);
  const { current, all } = readContexts(path);
  chooseContext({ current, all }, args.name);
  const rest = new Map(all);
  rest.delete(args.name);
  writeContexts(path, { current: current === args.name ? undefined : current, all: rest });
  await terminal.report({ facts: [{ key: "removed", value: args.name }] }, options.json);
};
