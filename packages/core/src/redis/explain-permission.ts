import { PermissionError } from "../errors/errors.ts";
import { type Role, rulesFor } from "./rights.ts";

/** Who a client is for: what its refusals are explained by. */
export interface Actor {
  readonly role: Role;
  /** Its stream, or each of its streams. */
  readonly stream: string | readonly string[];
}

/** Of each role, the word for `redis-batch acl`, and who has it. */
const WORDS: Readonly<Record<Role, readonly [word: string, who: string]>> = {
  producer: ["producer", "A producer"],
  consumer: ["consumer", "A consumer"],
  monitor: ["monitor", "A monitor"],
  scaler: ["scaler", "A scaler"],
  deadLetters: ["dead-letters", "A manager of dead letters"],
  groups: ["groups", "A manager of groups"],
  dashboard: ["dashboard", "A viewer of the dashboard"],
};

/** Adds to a missing right whose it is, and the rules that grant it. Any other error is returned as it is. */
export function explainPermission(error: unknown, actor: Actor | undefined): unknown {
  if (actor === undefined || !PermissionError.is(error) || error.refusal !== "right" || error.rules.length > 0) {
    return error;
  }
  const refused = refusedCommandOf(error);
  const rules = [...new Set([actor.stream].flat().flatMap((stream) => rulesFor(actor.role, stream, refused)))];
  if (rules.length === 0) return error;
  const [role, who] = WORDS[actor.role];
  const words = rules.map((rule) => (rule.startsWith("(") ? `"${rule.replaceAll("\\", "\\\\")}"` : rule)).join(" ");
  const message = error.message.replace(/\. Grant it with ACL SETUSER.*$/s, "");
  return new PermissionError(
    `${message}. ${who} needs it. Grant it: ACL SETUSER <user> ${words} (redis-batch acl ${role} prints all rules)`,
    { command: error.command, refusal: error.refusal, rules },
  );
}

/** The command that the server refused, which may be one of a script: as the server names it, or as the script's line does. */
function refusedCommandOf({ message, command }: PermissionError): string {
  const [, named] = /'([a-z|]+)' command/.exec(message) ?? [];
  const [, called] = /^\w+ calls ([A-Z]+):/.exec(message) ?? [];
  return named ?? called?.toLowerCase() ?? command;
}
