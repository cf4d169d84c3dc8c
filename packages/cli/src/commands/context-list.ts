import type { Run } from "../command.ts";
import { contextsPath, readContexts, type SavedContext } from "../connection/contexts.ts";
import { withoutPassword } from "../connection/place.ts";
import type { contextList } from "../table/setup.ts";

export const run: Run<typeof contextList> = async ({ options, terminal }) => {
  const { current, all } = readContexts(contextsPath(terminal.env));
  await terminal.report(
    {
      table: {
        key: "contexts",
        columns: [
          { key: "context" },
          { key: "current", tone: (isCurrent) => (isCurrent === true ? "good" : undefined) },
          { key: "server" },
          { key: "user" },
          { key: "password" },
          { key: "tls" },
        ],
        rows: [...all.values()].map((context) => describe(context, current)),
        none: "There are no contexts: `redis-batch context add` saves one.",
      },
    },
    options.json,
  );
};

function describe(context: SavedContext, current: string | undefined) {
  const { name, url, sentinel, sentinelName, user, cluster, tlsCa, tlsCert } = context;
  return {
    context: name,
    current: name === current,
    server:
      sentinel === undefined
        ? // A user may have written a password into the file by hand.
          `${withoutPassword(url ?? "")}${cluster ? " (cluster)" : ""}`
        : `${sentinelName ?? "mymaster"} by ${sentinel}`,
    user: user ?? null,
    password: passwordOf(context),
    tls: tlsCa !== undefined || tlsCert !== undefined || /^rediss[:+]/i.test(url ?? ""),
  };
}

function passwordOf({ passwordFile, passwordEnv, askPassword }: SavedContext): string | null {
  if (passwordFile !== undefined) return `file ${passwordFile}`;
  if (passwordEnv !== undefined) return `variable ${passwordEnv}`;
  return askPassword ? "asked for" : null;
}
