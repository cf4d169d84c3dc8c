import type { Run } from "../command.ts";
import { NOTHING_TO_DO } from "../plan.ts";
import type { resume } from "../table/group.ts";
import { pauseFacts } from "./pause-facts.ts";
import { withMonitor } from "./with-monitor.ts";

export const run: Run<typeof resume> = async (call) => {
  const { args, options, terminal } = call;
  const ended = await withMonitor(call, {}, (monitor) => monitor.resume());
  await terminal.report(
    {
      facts: [{ key: "stream", value: args.stream }, { key: "group", value: args.group }, ...pauseFacts(ended)],
      notes: ended === null ? [NOTHING_TO_DO] : ["All consumers go on within a heartbeat."],
    },
    options.json,
  );
};
