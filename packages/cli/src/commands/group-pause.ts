import { describePause } from "@redis-batch/core/internal/groups";
import { quoteName } from "@redis-batch/core/internal/names";
import type { Run } from "../command.ts";
import type { pause } from "../table/group.ts";
import { whoAmI } from "../who-am-i.ts";
import { pauseFacts } from "./pause-facts.ts";
import { withMonitor } from "./with-monitor.ts";

export const run: Run<typeof pause> = async (call) => {
  const { args, options, terminal } = call;
  const { by = whoAmI(), reason, for: forMs } = options;
  const report = await withMonitor(call, {}, (monitor) => monitor.pause({ by, reason, forMs }));
  const { notObeyedBy, replaced } = report;
  await terminal.report(
    {
      facts: [{ key: "stream", value: args.stream }, { key: "group", value: args.group }, ...pauseFacts(report)],
      table: {
        key: "goOn",
        columns: [{ key: "consumer", title: "goes on: not of Redis Batch, or of an earlier version" }],
        rows: notObeyedBy.map((consumer) => ({ consumer })),
        none: "All consumers rest within a heartbeat.",
      },
      // Two people may be at it.
      notes: replaced === null ? [] : [`It replaces another pause: the group was ${describePause(replaced)}.`],
    },
    options.json,
  );
  if (notObeyedBy.length > 0) {
    terminal.note(`stop these by hand, if they have to rest: ${notObeyedBy.map(quoteName).join(", ")}`, "warn");
  }
};
