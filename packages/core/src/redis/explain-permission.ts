import { PermissionError } from "../errors/errors.ts";
import { type Role, rulesFor } from "./rights.ts";

/** Who a client is for: what its refusals are explained by. */
export interface Actor {
  readonly role: Role;
  readonly stream: string;
}

const WORDS: Readonly<Record<Role, string>> = {
  producer: "producer",
  consumer: "consumer",
  monitor: "monitor",
  scaler: "scaler",
  deadLetters: "dead-letters",
  groups: "groups",
};

/** Adds to a missing right whose it is, and the rules that grant it. Any other error is returned as it is. */
export function explainPermission(error: unknown, actor: Actor | undefined): unknown {
  if (actor === undefined || !PermissionError.is(error) || error.refusal !== "right" || error.rules.length > 0) {
    return error;
  }
  const rules = rulesFor(actor.role, actor.stream, refusedCommandOf(error));
  if (rules.length === 0) return error;
  const role = WORDS[actor.role];
  const words = rules.map((rule) => (rule.startsWith("(") ? `"${rule.replaceAll("\\", "\\\\")}"` : rule)).join(" ");
  const message = error.message.replace(/\. Grant it with ACL SETUSER.*$/s, "");
  return new PermissionError(
    `${message}. A ${role} needs it. Grant it: ACL SETUSER <user> ${words} (redis-batch acl ${role} prints all rules)`,
    { command: error.command, refusal: error.refusal, rules },
  );
}

/** The command that the server refused, which may be one of a script: as the server names it, or as the script's line does. */
function refusedCommandOf({ message, command }: PermissionError): string {
  const [, named] = /'([a-z|]+)' command/.exec(message) ?? [];
  const [, called] = /^\w+ calls ([A-Z]+):/.exec(message) ?? [];
  return named ?? called?.toLowerCase() ?? command;
}
