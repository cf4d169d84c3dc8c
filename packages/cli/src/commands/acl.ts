import { aclRules, type Extra, extrasOf, type Role } from "@redis-batch/core/internal/connection";
import { quoteWord } from "@redis-batch/core/internal/diagnosis";
import type { Run } from "../command.ts";
import { Failure } from "../failure.ts";
import type { acl } from "../table/setup.ts";

const ROLES: Readonly<Record<string, Role>> = {
  producer: "producer",
  consumer: "consumer",
  monitor: "monitor",
  scaler: "scaler",
  "dead-letters": "deadLetters",
  groups: "groups",
  dashboard: "dashboard",
};

export const run: Run<typeof acl> = async ({ args, options, terminal }) => {
  const { least, cluster, partitioned, name, "acl-file": isForFile } = options;
  const role = ROLES[args.role] ?? "consumer";
  const rules = aclRules(role, args.streams, {
    least,
    cluster,
    partitions: partitioned,
    extras: parseExtras(role, options.with),
  });
  // A file is split at spaces only. It knows no quotes, and the rules need none.
  const rule = rules.map((one) => (isForFile ? one : quoteWord(one))).join(" ");
  const line = isForFile
    ? `user ${name ?? "USER"} resetchannels on >PASSWORD ${rule}`
    : `ACL SETUSER ${quoteWord(name ?? "USER")} reset resetchannels on >PASSWORD ${rule}`;
  const command = name === undefined && !isForFile ? null : line;
  if (!options.json) return terminal.write(`${command ?? rule}\n`);
  await terminal.report(
    {
      facts: [
        { key: "role", value: args.role },
        { key: "stream", value: args.streams.join(",") },
        { key: "rule", value: rule },
        { key: "command", value: command },
      ],
    },
    true,
  );
};

function parseExtras(role: Role, text: string | undefined): readonly Extra[] {
  const known = extrasOf(role);
  const words = text?.split(",") ?? [];
  const unknown = words.filter((word) => !known.some((extra) => extra === word));
  if (unknown.length > 0) {
    throw new Failure(
      "usage",
      `--with ${unknown.join(",")}: this role has ${known.length === 0 ? "nothing to request" : `only ${known.join(", ")}`}`,
    );
  }
  return known.filter((extra) => words.includes(extra));
}
