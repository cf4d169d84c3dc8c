import { aclRules, type Role } from "@redis-batch/core/internal";
import type { Run } from "../command.ts";
import type { acl } from "../table/setup.ts";

const ROLES: Readonly<Record<string, Role>> = {
  producer: "producer",
  consumer: "consumer",
  monitor: "monitor",
  scaler: "scaler",
  "dead-letters": "deadLetters",
};

export const run: Run<typeof acl> = async ({ args, options, terminal }) => {
  const rules = aclRules(ROLES[args.role] ?? "consumer", args.stream, { least: options.least });
  const rule = rules.map(quote).join(" ");
  const command = options.name === undefined ? null : `ACL SETUSER ${quote(options.name)} reset on >PASSWORD ${rule}`;
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

/** As redis-cli reads it: what is not plain stands in quotes. */
function quote(word: string): string {
  if (/^[^\s"'\\\p{C}]+$/u.test(word)) return word;
  const inner = Array.from(word, (character) =>
    character === '"' || character === "\\"
      ? `\\${character}`
      : /\p{C}/u.test(character)
        ? [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")
        : character,
  );
  return `"${inner.join("")}"`;
}
