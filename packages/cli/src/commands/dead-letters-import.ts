import { createReadStream } from "node:fs";
import { deadLetterKey } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { readPartitions } from "@redis-batch/core/internal/groups";
import type { Invocation, Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import { parseLetterLine } from "../messages/letter-line.ts";
import { readLines } from "../messages/lines.ts";
import { NOTHING_TO_DO, planFirst } from "../plan.ts";
import type { importLetters } from "../table/dead-letters.ts";
import { findGroup } from "./find-group.ts";

type Call = Invocation<typeof importLetters>;

const ADDED_AT_ONCE = 100;

export const run: Run<typeof importLetters> = (call) =>
  withClient(call, async (client) => {
    const { args, options, terminal } = call;
    const { stream, group } = args;
    await findGroup(client, stream, group);
    const partitions = await readPartitions(client, stream);
    const keyOf = (partition: number | null): string | undefined => {
      const home = partitions === null ? stream : partitions[partition ?? -1];
      return home === undefined ? undefined : deadLetterKey(home, group);
    };
    const address = [
      { key: "stream", value: stream },
      { key: "group", value: group },
    ] as const;
    // Standard input can be read once only.
    const isOnce = isStdin(options);
    if (isOnce && (!options.yes || options["dry-run"])) {
      throw new Failure(
        "usage",
        "standard input can be read once only",
        "give --yes, or a --file to see the plan first",
      );
    }
    let letters = 0;
    if (!isOnce) for await (const few of readLetters(options, keyOf)) letters += few.length;
    const facts = [
      ...address,
      { key: "letters", title: "to import", value: isOnce ? null : letters, unit: "count" },
    ] as const;
    const nothing = letters === 0 && !isOnce ? NOTHING_TO_DO : undefined;
    return planFirst(terminal, options, { facts, nothing }, async () => {
      const imported = await add(client, call, keyOf);
      return { facts: [...address, { key: "imported", value: imported, unit: "count" }] };
    });
  });

/** The key of the dead letters of a partition; `undefined`: the stream has no such partition. */
type KeyOf = (partition: number | null) => string | undefined;

async function add(client: StreamClient, { options, terminal }: Call, keyOf: KeyOf): Promise<number> {
  let imported = 0;
  try {
    for await (const few of readLetters(options, keyOf)) {
      const results = await client.xaddMany(few);
      imported += results.filter((result) => typeof result === "string").length;
      terminal.progress(`${imported} imported`);
      for (const result of results) if (typeof result !== "string") throw result;
    }
  } catch (error) {
    if (imported > 0) terminal.note(`${imported} were imported before this failed`, "warn");
    throw error;
  }
  return imported;
}

const isStdin = ({ file }: Call["options"]): boolean => file === "-" || (file === undefined && !process.stdin.isTTY);

/** The entries of the file, some at a time. */
async function* readLetters(
  options: Call["options"],
  keyOf: KeyOf,
): AsyncGenerator<readonly { readonly stream: string; readonly fields: readonly (string | Buffer)[] }[]> {
  if (options.file === undefined && !isStdin(options)) {
    throw new Failure("usage", "no file was given", "--file takes what `dead-letters export` printed");
  }
  const source = isStdin(options) ? process.stdin : createReadStream(options.file ?? "");
  let few: { readonly stream: string; readonly fields: readonly (string | Buffer)[] }[] = [];
  try {
    for await (const { number, text, why } of readLines(source as AsyncIterable<Buffer>)) {
      if (text?.trim() === "") continue;
      const read = text === null ? ({ kind: "malformed", why: why ?? "" } as const) : parseLetterLine(text);
      if (read.kind === "malformed") {
        if (few.length > 0) yield few;
        const problem = `line ${number} is not a dead letter: ${read.why}`;
        throw new Failure("usage", problem, "nothing from this line on was imported");
      }
      const key = keyOf(read.partition);
      if (key === undefined) {
        if (few.length > 0) yield few;
        throw new Failure(
          "usage",
          `line ${number} names no partition that the stream has`,
          'the stream has partitions: "id" must have one in front, such as 3/1700000000000-0, or give the name of one partition',
        );
      }
      few.push({ stream: key, fields: read.fields });
      if (few.length < ADDED_AT_ONCE) continue;
      yield few;
      few = [];
    }
  } catch (error) {
    if (error instanceof Error && "syscall" in error) {
      throw new Failure("usage", `the input cannot be read: ${error.message}`, "--file takes the path of a file");
    }
    throw error;
  }
  if (few.length > 0) yield few;
}
