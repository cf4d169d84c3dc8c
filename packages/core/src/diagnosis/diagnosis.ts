/** Problems of a server, a user or a group, and their fixes. */
import { quoteWord } from "../names/quote-word.ts";

export type Severity = "ok" | "info" | "warning" | "problem" | "unknown";

export interface Finding {
  readonly area: string;
  readonly severity: Severity;
  readonly finding: string;
  /** What to do; `null` if nothing. */
  readonly fix: string | null;
}

/** Facts about a server; `null` if it refuses to answer. */
export interface ServerFacts {
  readonly info: ReadonlyMap<string, string> | null;
  readonly hasAckDelete: boolean | null;
  /** How far the server's clock is ahead of ours, in milliseconds; `null` if unknown. */
  readonly clockAheadMs: number | null;
}

const OLDEST_MAJOR = 7;
const MOST_CLOCK_MS = 2_000;

/** Judges the server by what it reports. */
export function diagnoseServer({ info, hasAckDelete, clockAheadMs }: ServerFacts): readonly Finding[] {
  return [
    ...diagnoseVersion(info),
    ...diagnoseFeatures(info, hasAckDelete),
    ...(info === null
      ? [
          finding(
            "server",
            "unknown",
            "INFO is refused, so replicas, persistence, memory and eviction are unknown",
            "grant +info, or run this as another user; some servers do not offer INFO at all",
          ),
        ]
      : diagnoseRole(info)),
    diagnoseClock(clockAheadMs),
  ];
}

function diagnoseVersion(info: ReadonlyMap<string, string> | null): Finding[] {
  const valkey = info?.get("valkey_version");
  const redis = info?.get("redis_version");
  const name =
    valkey !== undefined
      ? `Valkey ${valkey}`
      : redis !== undefined
        ? `Redis ${redis}`
        : "a server that does not report its version";
  // By the version that the server reports: a missing command does not prove that it is old.
  if (valkey === undefined && Number.parseInt(redis ?? "", 10) < OLDEST_MAJOR) {
    return [
      finding(
        "version",
        "problem",
        `${name} is too old: it does not support scripts with flags`,
        "upgrade to Redis 7.0 or Valkey 8, or later",
      ),
    ];
  }
  // XACKDEL itself is unsafe there, not only slow.
  if (valkey === undefined && /^8\.2\.[0-2]$/.test(redis ?? "")) {
    return [finding("version", "problem", `${name} has CVE-2025-62507 in XACKDEL`, "upgrade to Redis 8.2.3 or later")];
  }
  const bugs = diagnoseBlockedReads(info, name);
  if (bugs.length > 0) return bugs;
  return [finding("version", redis === undefined && valkey === undefined ? "unknown" : "ok", name)];
}

/** The bugs that the first versions of 7.2 have with clients that wait. */
function diagnoseBlockedReads(info: ReadonlyMap<string, string> | null, name: string): Finding[] {
  // Valkey reports a redis_version of 7.2.4, whatever its own is.
  const valkey = info?.get("valkey_version");
  const isBefore = (redisPatch: number, valkeyPatch: number): boolean => {
    const [, patch] = /^7\.2\.(\d+)$/.exec(valkey ?? info?.get("redis_version") ?? "") ?? [];
    return patch !== undefined && Number(patch) < (valkey === undefined ? redisPatch : valkeyPatch);
  };
  const upgrade = (redisVersion: string): string =>
    `upgrade to ${valkey === undefined ? `Redis ${redisVersion}` : "Valkey 7.2.6"} or later`;
  return [
    ...(isBefore(5, 6)
      ? [
          finding(
            "version",
            "warning",
            `${name} begins the wait of a blocked read again whenever it serves another client, so idle consumers have to end their reads with CLIENT UNBLOCK`,
            upgrade("7.2.5"),
          ),
        ]
      : []),
    ...(isBefore(7, 6) && info?.get("redis_mode") === "cluster"
      ? [
          finding(
            "version",
            "warning",
            `a node of ${name} crashes when a stream's slot is moved away while a consumer waits there for messages`,
            upgrade("7.2.7"),
          ),
        ]
      : []),
  ];
}

function diagnoseFeatures(info: ReadonlyMap<string, string> | null, hasAckDelete: boolean | null): Finding[] {
  const valkey = info?.get("valkey_version");
  const [major = 0, minor = 0] = (info?.get("redis_version") ?? "0.0").split(".").map(Number);
  const tellsAttempts = valkey !== undefined || major > 7 || (major === 7 && minor >= 2);
  return [
    hasAckDelete === null
      ? finding(
          "deleting",
          "unknown",
          "it is unknown whether the server has XACKDEL, so a script is used instead",
          "grant +command|info; some servers do not offer COMMAND at all",
        )
      : finding(
          "deleting",
          "ok",
          hasAckDelete
            ? 'onAck: "delete" uses XACKDEL'
            : 'onAck: "delete" uses a script, because the server has no XACKDEL',
        ),
    finding(
      "idle time",
      info === null ? "unknown" : "ok",
      tellsAttempts
        ? "a foreign consumer's idle time counts from its last attempt to read"
        : "a foreign consumer's idle time counts from its last read that returned messages, so a waiting one looks idle",
    ),
  ];
}

function diagnoseRole(info: ReadonlyMap<string, string>): Finding[] {
  const role = info.get("role");
  if (role !== "slave")
    return [finding("role", "ok", role === "master" ? "it accepts writes" : `its role is ${role ?? "unknown"}`)];
  return [
    finding("role", "problem", "it is a replica: it refuses every write", "connect to its master, or through Sentinel"),
  ];
}

function diagnoseClock(aheadMs: number | null): Finding {
  if (aheadMs === null)
    return finding("clock", "unknown", "the server's time is unknown: TIME is refused", "grant +time");
  const off = Math.round(Math.abs(aheadMs));
  if (off <= MOST_CLOCK_MS) return finding("clock", "ok", "the server's clock and ours agree");
  const way = aheadMs > 0 ? "ahead of" : "behind";
  return finding(
    "clock",
    "warning",
    `the server's clock is ${off} ms ${way} ours; leases use the server's clock, dates you type use ours`,
    "synchronise both with NTP",
  );
}

/** The rights of a role that a user lacks. */
export interface RightsFacts {
  readonly role: string;
  /** `null`: the server could not be asked. */
  readonly missing:
    | readonly { readonly purpose: string; readonly rules: readonly string[]; readonly isLeast: boolean }[]
    | null;
}

/** Without its minimal rights a role cannot be used; without others it works with limits. */
export function diagnoseRights(user: string | null, { role, missing }: RightsFacts): Finding {
  if (missing === null) {
    return finding(
      "rights",
      "unknown",
      `it is unknown whether this user can be a ${role}`,
      "run this as a user with +acl|dryrun and +acl|whoami; some servers do not offer ACL at all",
    );
  }
  const who = user === null ? "this user" : `"${user}"`;
  if (missing.length === 0) return finding("rights", "ok", `${who} can be a ${role}`);
  const rules = [...new Set(missing.flatMap((part) => part.rules))].map(quoteWord).join(" ");
  const grant = `ACL SETUSER ${user === null ? "<user>" : quoteWord(user)} ${rules}`;
  const isLeast = missing.some((part) => part.isLeast);
  const purposes = missing.map((part) => part.purpose).join("; ");
  return finding(
    "rights",
    "info",
    isLeast ? `${who} cannot be a ${role}: it lacks ${rules}` : `${who} can be a ${role}, but not for: ${purposes}`,
    grant,
  );
}

export function finding(area: string, severity: Severity, text: string, fix: string | null = null): Finding {
  return { area, severity, finding: text, fix };
}
