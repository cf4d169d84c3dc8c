import { joinPartitions } from "@redis-batch/core/internal/groups";
import type { Invocation, Run } from "../command.ts";
import { contextsPath, readContexts } from "../connection/contexts.ts";
import { withClient } from "../connection/open.ts";
import type { completionNames } from "../table/setup.ts";
import { partsOf } from "./parts.ts";
import { findNames } from "./streams.ts";

type Call = Invocation<typeof completionNames>;

const MOST = 1_000;
const LONGEST_MS = 1_000;
/** What stands for itself in every shell. */
const PLAIN = /^[\w.:@%+/{}#-]+$/;

export const run: Run<typeof completionNames> = async (call) => {
  // The shell waits for it after Tab was pressed.
  const late = setTimeout(() => process.exit(0), 2 * LONGEST_MS);
  try {
    const names = await namesOf(call);
    await call.terminal.write(
      names
        .filter((name) => PLAIN.test(name))
        .map((name) => `${name}\n`)
        .join(""),
    );
  } catch {
    // A line that is being typed is no place for errors.
  } finally {
    clearTimeout(late);
  }
};

async function namesOf(call: Call): Promise<readonly string[]> {
  const { kind, of: stream } = call.args;
  if (kind === "context") return [...readContexts(contextsPath(call.terminal.env)).all.keys()];
  const quick = { ...call, options: { ...call.options, "connect-timeout": LONGEST_MS, quiet: true } };
  call.terminal.format({ isQuiet: true, isPlain: true, isWide: false, isRowWise: false });
  return withClient(quick, async (client) => {
    if (kind === "stream") {
      const { names } = await findNames(client, { match: undefined, limit: MOST, all: false });
      return joinPartitions(client, names);
    }
    if (stream === undefined) return [];
    const [part] = await partsOf(client, stream);
    return (await client.xinfoGroups({ stream: part?.stream ?? stream })).map(({ name }) => name).slice(0, MOST);
  });
}
