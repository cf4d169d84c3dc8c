import { NoGroupError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import type { Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import { planFirst } from "../plan.ts";
import { parsePosition } from "../point.ts";
import type { create } from "../table/group.ts";
import { countAfter } from "./count-between.ts";
import { partsOf } from "./parts.ts";

export const run: Run<typeof create> = (call) =>
  withClient(call, async (client) => {
    const { args, options, terminal } = call;
    const { stream, group } = args;
    const position = parsePosition("--from", options.from, await client.time());
    const parts = await Promise.all(
      (await partsOf(client, stream)).map(async (part) => ({ ...part, known: await groupsOf(client, part.stream) })),
    );
    // A partition that nobody has used yet is made on the way: the stream is there.
    const isMissing = parts.every(({ partition, known }) => partition === null && known === undefined);
    if (isMissing && !options["create-stream"]) {
      throw new Failure(
        "missing",
        `there is no stream "${stream}"`,
        "--create-stream creates it as well; `redis-batch streams` lists the existing streams",
      );
    }
    const lacking = parts.filter(({ known }) => known?.includes(group) !== true);
    if (lacking.length === 0) {
      throw new Failure(
        "refused",
        `the stream "${stream}" already has a group "${group}"`,
        "`redis-batch group seek` changes its position",
      );
    }
    const counts = await Promise.all(
      lacking.map(async ({ known, stream: one }) =>
        known === undefined ? { value: 0, isAll: true } : countAfter(client, one, position),
      ),
    );
    const first = {
      value: counts.reduce((sum, { value }) => sum + value, 0),
      isAll: counts.every(({ isAll }) => isAll),
    };
    const facts = [
      { key: "stream", value: stream },
      { key: "group", value: group },
      { key: "position", value: position },
      { key: "streamCreated", value: isMissing },
      { key: "messages", title: "messages to read", value: first.value, unit: "count" },
      { key: "messagesExact", title: "exact count", value: first.isAll },
    ] as const;
    // It loses nothing, and `group delete` undoes it: there is no need to ask.
    return planFirst(terminal, { ...options, yes: true }, { facts }, async () => {
      const made = await Promise.all(
        lacking.map(({ stream: one }) => client.xgroupCreate({ stream: one, group, position })),
      );
      if (made.includes(false)) throw new Failure("refused", `another client has just created the group "${group}"`);
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
