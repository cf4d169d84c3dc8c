/** How each feature is affected if the server, or a proxy in front of it, does not offer a command. */
import { RIGHTS, type Role } from "../redis/rights.ts";
import type { SentCommand } from "../wire/probe-command.ts";
import { type Finding, finding, type Severity } from "./diagnosis.ts";

/** The names of roles whose keys are not words. */
const ROLE_NAMES: Partial<Readonly<Record<Role, string>>> = {
  deadLetters: "manager of dead letters",
  groups: "manager of groups",
  dashboard: "viewer of the dashboard",
};

export const roleName = (role: Role): string => ROLE_NAMES[role] ?? role;

const DELAYS =
  "delays are kept in the memory of the consumers and end with them; a second hang on a message is not counted";

/** How things work without a command, if there is another way. */
const DETOURS: Partial<Readonly<Record<SentCommand, string>>> = {
  acl: "the rights of a user cannot be checked",
  client: "a blocked read cannot be ended early, so pausing and closing take up to blockMs longer",
  command: 'the server\'s commands cannot be listed, so onAck: "delete" uses a script even if there is XACKDEL',
  config: "what a failure would lose is not known in full",
  eval: "scripts are loaded with SCRIPT LOAD and run with EVALSHA",
  evalsha: "scripts are sent in full each time, with EVAL",
  hmget: "streams with partitions do not work",
  info: "commands that arrive while the server loads its data are refused, and retried until it has finished",
  pttl: "if the server's clock is set back, a lease that nobody renews lasts longer by the same time",
  xread: "streams with partitions do not work",
  scan: "`redis-batch streams` finds none",
  zadd: DELAYS,
  zcount: "the scaler counts deferred messages as work in progress",
  zmscore: DELAYS,
  zrange: DELAYS,
  zrem: DELAYS,
  zremrangebyscore: DELAYS,
};

// Only used in place of another command.
const NO_LOSS: readonly SentCommand[] = ["script", "xackdel", "xrevrange"];

/** One finding for each feature that works differently, or not at all. None if every command is offered. */
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
      `allow ${names}: check rename-command in the server's configuration, or the command list of your proxy or provider`,
    );
  });
}

/** What does not work at all. The worst is what producers or consumers cannot work without. */
function lossOf(command: SentCommand): readonly [Severity, string] {
  const isNeeded = (rules: readonly string[]): boolean =>
    rules.some((rule) => rule === `+${command}` || rule.startsWith(`+${command}|`));
  const parts = (Object.keys(RIGHTS) as Role[]).flatMap((role) =>
    RIGHTS[role].map(({ purpose, grants }, index) => ({
      role,
      purpose,
      isLeast: index === 0,
      isNeeded: grants.some(({ rules }) => isNeeded(rules)),
    })),
  );
  const lost = parts.filter((part) => part.isNeeded);
  const isWork = lost.some(({ role, isLeast }) => isLeast && (role === "producer" || role === "consumer"));
  const words = lost.map(({ role, purpose, isLeast }) =>
    isLeast ? `a ${roleName(role)} cannot work` : `a ${roleName(role)} works without ${purpose}`,
  );
  return [isWork ? "problem" : "warning", [...new Set(words)].join("; ")];
}
