import { aclRules, type Role } from "@redis-batch/core/internal/connection";
import type { Run } from "../command.ts";
import { quoteWord } from "../render/quote-word.ts";
import type { acl } from "../table/setup.ts";

const ROLES: Readonly<Record<string, Role>> = {
  producer: "producer",
  consumer: "consumer",
  monitor: "monitor",
  scaler: "scaler",
  "dead-letters": "deadLetters",
  groups: "groups",
};

export const run: Run<typeof acl> = async ({ args, options, terminal }) => {
  const rules = aclRules(ROLES[args.role] ?? "consumer", args.stream, { least: options.least });
  const rule = rules.map(quoteWord).join(" ");
  const command =
    options.name === undefined ? null : `ACL SETUSER ${quoteWord(options.name)} reset on >PASSWORD ${rule}`;
  if (!options.json) return terminal.write(`${command ?? rule}\n`);
  await terminal.report(
    {
      facts: [
        { key: "role", value: args.role },
        { key: "stream", value: args.stream },
        { key: "rule", value: rule },
        { key: "command", value: command },
      ],
    },
    true,
  );
};
