import type { Run } from "../command.ts";
import { compareGroups, SEVERITY } from "../decisions/severity.ts";
import { OVERVIEW_COLUMNS, overviewRow } from "../render/overview.ts";
import type { status } from "../table/monitor.ts";
import { withOverview } from "./overview.ts";
import { repeat } from "./repeat.ts";

export const run: Run<typeof status> = (call) =>
  withOverview(call, (overview) =>
    repeat(call, async () => {
      const { groups, streams, notes } = await overview.look();
      const shown = groups.toSorted(compareGroups("worst"));
      await call.terminal.report(
        {
          table: {
            key: "groups",
            columns: OVERVIEW_COLUMNS,
            rows: shown.map(overviewRow),
            none: streams === 0 ? "There are no streams." : "No stream has a group.",
          },
          notes,
        },
        call.options.json,
      );
      return shown.some(({ health }) => SEVERITY[health] !== "ok") ? "failed" : "ok";
    }),
  );
