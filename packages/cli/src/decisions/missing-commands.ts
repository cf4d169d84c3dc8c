/** What becomes of each feature where the server, or a proxy before it, does not offer a command. */
import { RIGHTS, type Role, type SentCommand } from "@redis-batch/core/internal";
import { type Finding, finding, type Severity } from "./diagnosis.ts";

/** How a role is called where its key is no word of its own. */
const ROLE_NAMES: Partial<Readonly<Record<Role, string>>> = {
  deadLetters: "keeper of dead letters",
  groups: "keeper of groups",
};

export const roleName = (role: Role): string => ROLE_NAMES[role] ?? role;

const DELAYS =
  "delays are kept in the memory of the consumers, and end with them; a second hang on a message is not counted";

/** What is done without a command, where there is another way. */
const DETOURS: Partial<Readonly<Record<SentCommand, string>>> = {
  acl: "what a user may do cannot be asked",
  client: "a read that waits at the server cannot be ended early, so pausing and closing take up to blockMs longer",
  command: 'what the server can do cannot be asked, so onAck: "delete" takes a script even where there is XACKDEL',
  eval: "scripts are loaded with SCRIPT LOAD, and run with EVALSHA",
  evalsha: "scripts are sent in full each time, with EVAL",
  info: "what is asked while the server still loads its data is refused, and repeated until it has",
  pttl: "after its clock was set back, the server keeps a lease that nobody prolongs for as long as that was",
  scan: "`redis-batch streams` finds none",
  zadd: DELAYS,
  zcount: "the scaler takes messages that were deferred for work in progress",
  zmscore: DELAYS,
  zrange: DELAYS,
  zrem: DELAYS,
  zremrangebyscore: DELAYS,
};

// Nobody uses these but in place of another command.
const NO_LOSS: readonly SentCommand[] = ["script", "xackdel", "xrevrange"];

/** One finding for each thing that goes another way, or not at all. Nothing where every command is offered. */
export function diagnoseMissingCommands(missing: ReadonlySet<SentCommand>): readonly Finding[] {
  const effects = new Map<string, { severity: Severity; commands: SentCommand[] }>();
  const note = (severity: Severity, text: string, command: SentCommand): void => {
    const known = effects.get(text) ?? { severity, commands: [] };
    known.commands.push(command);
    effects.set(text, known);
  };
  const canScript = !missing.has("eval") || !(missing.has("evalsha") || missing.has("script"));
  for (const command of missing) {
    if (NO_LOSS.includes(command)) continue;
    const isScript = command === "eval" || command === "evalsha";
    const detour = isScript && !canScript ? undefined : DETOURS[command];
    if (detour !== undefined) note("info", detour, command);
    else note(...lossOf(command), command);
  }
  return [...effects].map(([text, { severity, commands }]) => {
    const names = commands.map((command) => command.toUpperCase()).join(", ");
    return finding(
      "commands",
      severity,
      `${names} ${commands.length === 1 ? "is" : "are"} not offered: ${text}`,
      `allow ${names}: no rename-command in the server's configuration, or a proxy's or provider's list of commands`,
    );
  });
}

/** What cannot be done at all: worst is what producers or consumers cannot work without. */
function lossOf(command: SentCommand): readonly [Severity, string] {
  const isNeeded = (rules: readonly string[]): boolean =>
    rules.some((rule) => rule === `+${command}` || rule.startsWith(`+${command}|`));
  const parts = (Object.keys(RIGHTS) as Role[]).flatMap((role) =>
    RIGHTS[role].map(({ purpose, rules }, index) => ({
      role,
      purpose,
      isLeast: index === 0,
      isNeeded: isNeeded(rules),
    })),
  );
  const lost = parts.filter((part) => part.isNeeded);
  const isWork = lost.some(({ role, isLeast }) => isLeast && (role === "producer" || role === "consumer"));
  const words = lost.map(({ role, purpose, isLeast }) =>
    isLeast ? `a ${roleName(role)} cannot work` : `a ${roleName(role)} goes without ${purpose}`,
  );
  return [isWork ? "problem" : "warning", [...new Set(words)].join("; ")];
}
