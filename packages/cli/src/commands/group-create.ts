import { NoGroupError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import type { Run } from "../command.ts";
import { withStream } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import { planFirst } from "../plan.ts";
import { parsePosition } from "../point.ts";
import type { create } from "../table/group.ts";
import { countAfter } from "./count-between.ts";

export const run: Run<typeof create> = (call) =>
  withStream(call, async (client) => {
    const { args, options, terminal } = call;
    const { stream, group } = args;
    const position = parsePosition("--from", options.from, await client.time());
    const known = await groupsOf(client, stream);
    if (known === undefined && !options["create-stream"]) {
      throw new Failure(
        "missing",
        `there is no stream "${stream}"`,
        "--create-stream creates it as well; `redis-batch streams` lists the existing streams",
      );
    }
    if (known?.includes(group)) {
      throw new Failure(
        "refused",
        `the stream "${stream}" already has a group "${group}"`,
        "`redis-batch group seek` changes its position",
      );
    }
    const first = known === undefined ? { value: 0, isAll: true } : await countAfter(client, stream, position);
    const facts = [
      { key: "stream", value: stream },
      { key: "group", value: group },
      { key: "position", value: position },
      { key: "streamCreated", value: known === undefined },
      { key: "messages", title: "messages to read", value: first.value, unit: "count" },
      { key: "messagesExact", title: "exact count", value: first.isAll },
    ] as const;
    // It loses nothing, and `group delete` undoes it: there is no need to ask.
    return planFirst(terminal, { ...options, yes: true }, { facts }, async () => {
      const isNew = await client.xgroupCreate({ stream, group, position });
      if (!isNew) throw new Failure("refused", `another client has just created the group "${group}"`);
      return { facts };
    });
  });

async function groupsOf(client: StreamClient, stream: string): Promise<readonly string[] | undefined> {
  try {
    return (await client.xinfoGroups({ stream })).map(({ name }) => name);
  } catch (error) {
    if (NoGroupError.is(error)) return undefined;
    throw error;
  }
}
