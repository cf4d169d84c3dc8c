import type { StreamClient } from "@redis-batch/core/internal/connection";
import type { Invocation, Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import { parseFrom } from "../point.ts";
import type { peek } from "../table/inspect.ts";
import { entryPages } from "./entry-pages.ts";
import { findGroup } from "./find-group.ts";
import { NOTHING_THERE, printEntries } from "./print-entries.ts";

type Call = Invocation<typeof peek>;

export const run: Run<typeof peek> = (call) =>
  withClient(call, async (client) => {
    const { args, options, terminal } = call;
    if (options.newest && args.group !== undefined) {
      throw new Failure("usage", "a group reads the oldest messages first: leave out --newest, or the group");
    }
    const range = { stream: args.stream, from: await startOf(client, call), to: "+" };
    let isEmpty = true;
    for await (const page of entryPages(client, { ...range, most: options.count, newestFirst: options.newest })) {
      isEmpty &&= page.length === 0;
      await printEntries(page, call);
    }
    if (isEmpty) terminal.note(args.group === undefined ? NOTHING_THERE : "no messages wait for the group");
  });

async function startOf(client: StreamClient, { args, options }: Call): Promise<string> {
  const { stream, group } = args;
  if (options.from !== undefined) return parseFrom("--from", options.from, await client.time());
  if (group === undefined) {
    // A mistyped name must not look like a stream without messages.
    await client.xinfoStream({ stream });
    return "-";
  }
  return `(${(await findGroup(client, stream, group)).lastDeliveredId}`;
}
