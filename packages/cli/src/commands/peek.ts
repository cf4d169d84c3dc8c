import { NoGroupError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { describeMessages } from "@redis-batch/core/internal/errors";
import { encodePlacedId, parsePlacedId, type StreamEntry } from "@redis-batch/core/internal/messages";
import type { Invocation, Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import { parseFrom } from "../point.ts";
import type { peek } from "../table/inspect.ts";
import { entryPages } from "./entry-pages.ts";
import { askParts, mergeParts, type Part, partsOf, placeOf } from "./parts.ts";
import { NOTHING_THERE, printEntries } from "./print-entries.ts";

type Call = Invocation<typeof peek>;

export const run: Run<typeof peek> = (call) =>
  withClient(call, async (client) => {
    const { args, options, terminal } = call;
    if (options.newest && args.group !== undefined) {
      throw new Failure("usage", "a group reads the oldest messages first: leave out --newest, or the group");
    }
    const accepts = parseWhere(options.where);
    const { parts, from, after } = await startOf(client, call, await partsOf(client, args.stream));
    const most = accepts === null ? options.count : options.scan;
    const pagesOf = ({ stream }: Part, start: string | null) => {
      const begin = after.get(stream) ?? start ?? "-";
      const range = { stream, most, newestFirst: options.newest, share: parts.length };
      return entryPages(client, { ...range, from: begin, to: "+" });
    };
    const seen = { messages: 0, first: "", last: "" };
    let found = 0;
    for await (const some of mergeParts(parts, { from, newestFirst: options.newest }, pagesOf)) {
      const page = some.slice(0, most - seen.messages).map(({ placedId, entry }) => ({ ...entry, id: placedId }));
      seen.first ||= page[0]?.id ?? "";
      const matching: typeof page = [];
      for (const entry of page) {
        if (accepts === null || accepts(entry)) matching.push(entry);
        seen.messages++;
        seen.last = entry.id;
        if (found + matching.length === options.count) break;
      }
      await printEntries(matching, call);
      found += matching.length;
      if (found === options.count || seen.messages === most) break;
    }
    if (seen.messages === 0) terminal.note(args.group === undefined ? NOTHING_THERE : "no messages wait for the group");
    else if (accepts !== null) {
      const how =
        found === options.count
          ? "--count shows more"
          : seen.messages >= options.scan
            ? "--scan looks at more, --from at others"
            : null;
      const more = how === null ? "" : `; there may be more: ${how}`;
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

/** Of which parts the messages are shown, and from where on; `after`: of each stream by itself, as in XRANGE. */
async function startOf(client: StreamClient, { args, options }: Call, all: readonly Part[]) {
  const { stream, group } = args;
  const none: ReadonlyMap<string, string> = new Map();
  if (options.from !== undefined) {
    const from = parsePlacedId(options.from) ?? {
      partition: null,
      id: parseFrom("--from", options.from, await client.time()),
    };
    return { parts: all, from: placeOf("--from", encodePlacedId(from), all), after: none };
  }
  // A mistyped name must not look like a stream without messages.
  if (group === undefined) {
    const there = await askParts(all, (part) => client.xinfoStream({ stream: part.stream }));
    return { parts: there.map(({ part }) => part), from: null, after: none };
  }
  const groups = await askParts(all, async (part) => {
    const known = (await client.xinfoGroups({ stream: part.stream })).find(({ name }) => name === group);
    if (known === undefined) throw new NoGroupError(`the stream "${stream}" has no group "${group}"`);
    return [part.stream, `(${known.lastDeliveredId}`] as const;
  });
  return { parts: groups.map(({ part }) => part), from: null, after: new Map(groups.map(({ answer }) => answer)) };
}
