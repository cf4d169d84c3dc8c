import type { Run } from "../command.ts";
import { Failure } from "../failure.ts";
import { encodeFields } from "../messages/message-line.ts";
import { encodeJson } from "../render/escape.ts";
import { renderBytes } from "../render/message-text.ts";
import { renderReport } from "../render/report.ts";
import type { show } from "../table/dead-letters.ts";
import { find, isLetterId, LISTED, refuseMissingGroup, withLetters } from "./letters.ts";

export const run: Run<typeof show> = (call) =>
  withLetters(call, async (deadLetters) => {
    const { args, options, terminal } = call;
    if (!isLetterId(args.id))
      throw new Failure("usage", "<id> must be the id of a dead letter, such as 1700000000000-0");
    const [letter] = await find(deadLetters, args.id);
    if (letter === undefined) {
      await refuseMissingGroup(call);
      throw new Failure("missing", `there is no dead letter ${args.id}`, LISTED);
    }
    const { id, entryId, reason, error, deliveries, consumer } = letter;
    const history = { id, entryId, at: letter.at.toISOString(), reason, error, deliveries, consumer };
    if (options.json) {
      return terminal.write(`${encodeJson({ ...history, fields: encodeFields([...letter.entries()].flat()) }, 2)}\n`);
    }
    const facts = Object.entries(history).map(([key, value]) => ({
      key,
      value,
      ...(key === "entryId" ? { title: "message" } : {}),
    }));
    await terminal.write(renderReport({ facts }, terminal.paint, terminal.width));
    const lines = [...letter.entries()].map(([name, value]) => `${renderBytes(name)} = ${renderBytes(value)}\n`);
    await terminal.write(`\n${lines.join("")}`);
  });
