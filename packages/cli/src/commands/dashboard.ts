import { readFileSync } from "node:fs";
import { NoGroupError } from "@redis-batch/core";
import { onAbort } from "@redis-batch/core/internal/service";
import { type DashboardEvent, startDashboard } from "@redis-batch/dashboard";
import type { Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import type { dashboard } from "../table/dashboard.ts";
import { awaited } from "./find-group.ts";

export const run: Run<typeof dashboard> = async (call) => {
  const { args, options, terminal, signal } = call;
  const streams = args.stream;
  const file = options["tokens-file"];
  const tokens = file === undefined ? undefined : readTokens(file);
  const observer = (event: DashboardEvent): void => {
    if (event.type === "lookFailed")
      terminal.note(`could not look at the streams: ${event.error.message}; retrying`, "warn");
    if (event.type === "acted") {
      const { who, action, stream, group, done, left } = event;
      terminal.note(`${who}: ${action} in ${stream} / ${group}: ${done} done, ${left} left`);
    }
  };
  await withClient(call, async (client, server) => {
    // What is wrong is told here, not only in the browser.
    if (streams.length === 0) await client.scanStreams({ match: undefined, count: 1, cursor: undefined });
    for (const stream of streams) {
      await client.xinfoGroups({ stream }).catch((error: unknown) => {
        if (!NoGroupError.is(error)) throw error;
        terminal.note(awaited(stream), "warn");
      });
    }
    await using shown = await startDashboard({
      ...{ redis: server.redis, connectTimeoutMs: server.connectTimeoutMs, observer },
      ...{ port: options.port, host: options.host, intervalMs: options.interval },
      ...{ allowActions: options["allow-actions"], userHeader: options["user-header"], prefix: options.prefix, tokens },
      ...{ hosts: listOf(options.hosts), operators: listOf(options.operators), mask: listOf(options.mask) },
      ...(streams.length === 0 ? {} : { streams }),
    });
    await terminal.report({ facts: [{ key: "url", value: shown.url }] }, options.json);
    await new Promise<void>((resolve) => {
      onAbort(signal, () => resolve());
    });
  });
};

const listOf = (text: string | undefined): readonly string[] | undefined =>
  text === undefined
    ? undefined
    : text
        .split(",")
        .map((word) => word.trim())
        .filter((word) => word !== "");

/** Says nothing of what is in the file. */
function readTokens(path: string): Readonly<Record<string, string>> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Failure(
      "usage",
      `the file with the tokens cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const entries = lines
    .map((line, at) => ({ words: line.split(/\s+/), number: at + 1, isEmpty: line === "" || line.startsWith("#") }))
    .filter(({ isEmpty }) => !isEmpty);
  for (const { words, number } of entries) {
    if (words.length !== 2) throw new Failure("usage", `line ${number} of ${path} is not a name and a token`);
  }
  const names = new Set(entries.map(({ words: [name = ""] }) => name));
  if (names.size < entries.length) throw new Failure("usage", `a name is twice in ${path}`);
  return Object.fromEntries(entries.map(({ words: [name = "", token = ""] }) => [name, token]));
}
