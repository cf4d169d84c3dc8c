import type { StreamClient } from "@redis-batch/core/internal/connection";
import { describeMessages } from "@redis-batch/core/internal/errors";
import type { StreamEntry } from "@redis-batch/core/internal/messages";
import type { Invocation, Run } from "../command.ts";
import { withStream } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import { parseFrom } from "../point.ts";
import type { peek } from "../table/inspect.ts";
import { entryPages } from "./entry-pages.ts";
import { findGroup } from "./find-group.ts";
import { NOTHING_THERE, printEntries } from "./print-entries.ts";

type Call = Invocation<typeof peek>;

export const run: Run<typeof peek> = (call) =>
  withStream(call, async (client) => {
    const { args, options, terminal } = call;
    if (options.newest && args.group !== undefined) {
      throw new Failure("usage", "a group reads the oldest messages first: leave out --newest, or the group");
    }
    const accepts = parseWhere(options.where);
    const range = { stream: args.stream, from: await startOf(client, call), to: "+" };
    const most = accepts === null ? options.count : options.scan;
    const seen = { messages: 0, first: "", last: "" };
    let found = 0;
    for await (const page of entryPages(client, { ...range, most, newestFirst: options.newest })) {
      const matching = page.filter((entry) => accepts === null || accepts(entry)).slice(0, options.count - found);
      await printEntries(matching, call);
      found += matching.length;
      seen.messages += page.length;
      seen.first ||= page[0]?.id ?? "";
      seen.last = page.at(-1)?.id ?? seen.last;
      if (found === options.count) break;
    }
    if (seen.messages === 0) terminal.note(args.group === undefined ? NOTHING_THERE : "no messages wait for the group");
    else if (accepts !== null) {
      const isCut = found < options.count && seen.messages >= options.scan;
      const more = isCut ? "; there may be more: --scan looks at more, --from at others" : "";
      terminal.note(
        `${describeMessages(found)} found among the ${seen.messages} from ${seen.first} to ${seen.last}${more}`,
      );
    }
  });

/** Whether a message has this value in this field; `null`: all messages are shown. */
function parseWhere(where: string | undefined): ((entry: StreamEntry) => boolean) | null {
  if (where === undefined) return null;
  const at = where.indexOf("=");
  if (at < 1) throw new Failure("usage", "--where must look like field=value");
  const [name, value] = [Buffer.from(where.slice(0, at)), Buffer.from(where.slice(at + 1))];
  return ({ fields }) =>
    fields.some(
      (field, index) => index % 2 === 0 && name.equals(field) && value.equals(fields[index + 1] ?? Buffer.alloc(0)),
    );
}

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
