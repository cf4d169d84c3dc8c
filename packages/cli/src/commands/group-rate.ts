import { describeRate } from "@redis-batch/core/internal/groups";
import type { Run } from "../command.ts";
import { withStream } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import type { rate } from "../table/group.ts";
import { findGroup } from "./find-group.ts";

export const run: Run<typeof rate> = (call) =>
  withStream(
    call,
    async (client) => {
      const { args, options, terminal } = call;
      const { stream, group } = args;
      const { messages, per: perMs, off } = options;
      if (off && messages !== undefined) throw new Failure("usage", "--messages and --off exclude each other");
      await findGroup(client, stream, group);
      const isChange = off || messages !== undefined;
      const limit = messages === undefined ? null : { messages, perMs };
      const before = isChange
        ? await client.setRate({ stream, group, limit })
        : (await client.registry({ stream, group })).rateLimit;
      const now = isChange ? limit : before;
      await terminal.report(
        {
          facts: [
            { key: "stream", value: stream },
            { key: "group", value: group },
            { key: "rate", value: now === null ? null : describeRate(now) },
            { key: "before", value: before === null ? null : describeRate(before) },
          ],
          notes: isChange ? ["The consumers learn it within a heartbeat."] : [],
        },
        options.json,
      );
    },
    "a rate is kept for one stream, and does not hold in partitions",
  );
