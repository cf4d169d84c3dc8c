/**
 * The minimal ACL rights of each role, defined only here. `redis-batch acl` prints them, the READMEs quote them, and tests
 * hold both together.
 *
 * Commands that take a key are granted in selectors (Redis 7.0, Valkey): each for the kinds of keys that need it. With key
 * patterns of the user itself, a right such as SET for a lease would also overwrite the stream.
 */
import { type GroupKeyKind, keyParts } from "../names/keys.ts";
import { partitionsKey } from "../names/partitions.ts";

export type Role = "producer" | "consumer" | "monitor" | "scaler" | "deadLetters" | "groups" | "dashboard";

/** Keys that a command may touch: the stream itself, all that Redis Batch keeps beside it, or one kind of those. */
export type KeySet = "stream" | "ours" | "idem" | "partitions" | GroupKeyKind;

/** Commands, and the keys that they may touch. None: commands without a key. */
export interface Grant {
  readonly keys: readonly KeySet[];
  readonly rules: readonly string[];
}

/** What can destroy, stop all consumers, or read payloads, is only granted on request. */
export type Extra =
  | "pause"
  | "delete"
  | "xackdel"
  | "trim"
  | "payloads"
  | "discard"
  | "redrive"
  | "add"
  | "import"
  | "settle";

/** The first part of a role is what it cannot work without. */
export interface Part {
  /** The purpose, as it reads after "needed for". */
  readonly purpose: string;
  /** `least`: the role does not work as it should without it · `optional` · otherwise the name under which it has to be requested. */
  readonly need: "least" | "optional" | Extra;
  readonly grants: readonly Grant[];
}

const SCRIPTS = ["+eval", "+evalsha"];
const INSPECT = ["+xinfo|stream", "+xinfo|groups", "+xinfo|consumers"];
const BOOKKEEPING: readonly KeySet[] = [
  ...(["consumers", "final-reports", "due", "hung", "owner", "lease:recovery"] as const),
  ...(["lease:monitor", "lease:scaler", "scaler", "audit"] as const),
];

/** INFO shows ioredis that the server is ready, and with Sentinel that it is a master. */
const connecting = (...more: readonly string[]): Part => ({
  purpose: "connecting without a refusal in the server's log",
  need: "least",
  grants: [{ keys: [], rules: ["+info", "+client|setname", ...more] }],
});

/** What a Cluster client needs in addition: ioredis asks for the slots. */
export const CLUSTER_RULES: readonly string[] = ["+cluster|slots"];

/** Whether the stream has partitions, and how many. */
const PARTITIONS: Grant = { keys: ["partitions"], rules: ["+get"] };
/** A plain stream beside the partitions would have messages that nobody reads. */
const ASKING: Part = {
  purpose: "noticing that the stream has partitions",
  need: "least",
  grants: [PARTITIONS],
};

/** What monitor and dashboard look at in each group. No payloads. */
const LOOK_AT_GROUP: readonly Grant[] = [
  { keys: [], rules: ["+time"] },
  { keys: ["stream"], rules: [...INSPECT, "+xpending"] },
  { keys: ["consumers"], rules: ["+hgetall"] },
  { keys: ["final-reports"], rules: ["+xrange"] },
  { keys: ["dead"], rules: ["+xinfo|stream"] },
  PARTITIONS,
];

export const RIGHTS: Readonly<Record<Role, readonly Part[]>> = {
  producer: [
    { purpose: "adding messages", need: "least", grants: [{ keys: ["stream"], rules: ["+xadd"] }] },
    connecting(),
    ASKING,
    {
      purpose: "idempotency keys",
      need: "optional",
      grants: [
        { keys: ["idem"], rules: ["+get", "+set"] },
        { keys: ["stream", "idem"], rules: SCRIPTS },
      ],
    },
    { purpose: "waiting for replicas", need: "optional", grants: [{ keys: [], rules: ["+wait"] }] },
  ],
  consumer: [
    {
      purpose: "consuming from an existing group",
      need: "least",
      grants: [
        { keys: [], rules: ["+time"] },
        {
          keys: ["stream"],
          rules: ["+xreadgroup", "+xack", "+xpending", "+xclaim", "+xrange", "+xgroup|createconsumer"],
        },
        { keys: ["consumers"], rules: ["+hget", "+hset", "+hdel", "+hgetall"] },
        { keys: ["dead"], rules: ["+xadd", "+xrange"] },
        { keys: ["final-reports"], rules: ["+xadd"] },
        { keys: ["lease:recovery"], rules: ["+set"] },
        { keys: ["stream", "ours"], rules: SCRIPTS },
      ],
    },
    connecting("+client|id", "+client|unblock"),
    ASKING,
    {
      purpose: "delays and hang counts that outlive the process",
      need: "least",
      grants: [{ keys: ["due", "hung"], rules: ["+zadd", "+zrange", "+zmscore", "+zrem", "+zremrangebyscore"] }],
    },
    {
      purpose: "noticing a group that is ahead of its stream",
      need: "least",
      grants: [{ keys: ["stream"], rules: ["+xinfo|stream", "+xinfo|groups"] }],
    },
    {
      purpose: "creating the stream and the group",
      need: "optional",
      grants: [{ keys: ["stream"], rules: ["+xgroup|create"] }],
    },
    {
      purpose: "removing its own name, and unused ones",
      need: "optional",
      grants: [{ keys: ["stream"], rules: ["+xgroup|delconsumer"] }],
    },
    {
      purpose: 'onAck: "delete"',
      need: "delete",
      grants: [{ keys: ["stream"], rules: ["+xdel"] }],
    },
    {
      purpose: 'onAck: "delete" by XACKDEL, which only Redis 8.2 and later has',
      need: "xackdel",
      grants: [{ keys: ["stream"], rules: ["+xackdel"] }],
    },
  ],
  monitor: [
    {
      purpose: "inspecting, without payloads",
      need: "least",
      grants: [...LOOK_AT_GROUP, { keys: ["due"], rules: ["+zrange"] }, { keys: ["stream", "ours"], rules: SCRIPTS }],
    },
    connecting(),
    {
      purpose:
        "the age of the oldest waiting message, and counting where the server does not know the lag: reads entries",
      need: "optional",
      grants: [{ keys: ["stream"], rules: ["+xrange"] }],
    },
    {
      purpose: "electing a leader",
      need: "optional",
      grants: [{ keys: ["lease:monitor"], rules: ["+get", "+set", "+del", "+pttl"] }],
    },
    {
      purpose: "cleaning up",
      need: "optional",
      grants: [
        { keys: ["stream"], rules: ["+xclaim", "+xgroup|delconsumer"] },
        { keys: ["consumers"], rules: ["+hget", "+hdel"] },
      ],
    },
    {
      purpose: "pausing and resuming groups",
      need: "pause",
      grants: [{ keys: ["consumers"], rules: ["+hget", "+hset", "+hdel"] }],
    },
    { purpose: "trimming", need: "trim", grants: [{ keys: ["stream"], rules: ["+xtrim"] }] },
  ],
  scaler: [
    {
      purpose: "inspecting, without payloads",
      need: "least",
      grants: [
        { keys: [], rules: ["+time"] },
        { keys: ["stream"], rules: INSPECT },
        { keys: ["consumers"], rules: ["+hgetall"] },
        { keys: ["final-reports"], rules: ["+xrange"] },
        { keys: ["due"], rules: ["+zcount"] },
        PARTITIONS,
        { keys: ["ours"], rules: SCRIPTS },
      ],
    },
    connecting(),
    {
      purpose: "electing a leader, saving the state, and the audit log",
      need: "optional",
      grants: [
        { keys: ["lease:scaler"], rules: ["+get", "+set", "+del", "+pttl"] },
        { keys: ["scaler"], rules: ["+hget", "+hset"] },
        { keys: ["audit"], rules: ["+xadd"] },
      ],
    },
    {
      purpose:
        "the age of the oldest waiting message, and counting where the server does not know the lag: reads entries",
      need: "payloads",
      grants: [{ keys: ["stream"], rules: ["+xrange"] }],
    },
  ],
  deadLetters: [
    {
      purpose: "reading",
      need: "least",
      grants: [{ keys: ["dead"], rules: ["+xrange", "+xrevrange", "+xlen", "+xinfo|stream"] }],
    },
    { ...ASKING, purpose: "finding the dead letters of all partitions" },
    connecting(),
    { purpose: "discarding", need: "discard", grants: [{ keys: ["dead"], rules: ["+xdel"] }] },
    {
      purpose: "redriving",
      need: "redrive",
      grants: [
        { keys: ["stream"], rules: ["+xrange", "+xpending", "+xclaim", "+xinfo|groups"] },
        { keys: ["dead"], rules: ["+xdel"] },
        { keys: ["stream", "dead"], rules: SCRIPTS },
      ],
    },
    {
      purpose: "adding again what was trimmed, together with redriving",
      need: "add",
      grants: [{ keys: ["stream"], rules: ["+xadd"] }],
    },
    { purpose: "importing", need: "import", grants: [{ keys: ["dead"], rules: ["+xadd"] }] },
  ],
  dashboard: [
    {
      purpose: "showing groups, without payloads",
      need: "least",
      grants: [
        ...LOOK_AT_GROUP,
        { keys: ["due"], rules: ["+zrange", "+zmscore"] },
        { keys: ["audit"], rules: ["+xrevrange"] },
        { keys: ["stream", "ours"], rules: SCRIPTS },
      ],
    },
    connecting(),
    {
      purpose: "messages, dead letters, and the age of the oldest waiting message: reads entries",
      need: "payloads",
      grants: [
        { keys: ["stream"], rules: ["+xrange", "+xrevrange"] },
        { keys: ["dead"], rules: ["+xrange", "+xrevrange", "+xlen"] },
      ],
    },
    {
      purpose: "discarding dead letters, together with payloads",
      need: "discard",
      grants: [
        { keys: ["dead"], rules: ["+xdel"] },
        { keys: ["audit"], rules: ["+xadd"] },
      ],
    },
    {
      purpose: "redriving dead letters, together with payloads",
      need: "redrive",
      grants: [
        { keys: ["stream"], rules: ["+xrange", "+xclaim"] },
        { keys: ["dead"], rules: ["+xdel"] },
        { keys: ["audit"], rules: ["+xadd"] },
      ],
    },
    {
      purpose: "adding again what was trimmed, together with redriving",
      need: "add",
      grants: [{ keys: ["stream"], rules: ["+xadd"] }],
    },
    {
      purpose: "pausing and resuming groups, and changing their rates",
      need: "pause",
      grants: [
        { keys: ["consumers"], rules: ["+hget", "+hset", "+hdel"] },
        { keys: ["audit"], rules: ["+xadd"] },
      ],
    },
  ],
  groups: [
    {
      purpose: "inspecting, without payloads",
      need: "least",
      grants: [
        { keys: [], rules: ["+time"] },
        { keys: ["stream"], rules: [...INSPECT, "+xpending", "+xlen"] },
        { keys: ["consumers"], rules: ["+hgetall"] },
        { keys: ["dead"], rules: ["+xlen"] },
        { keys: ["due"], rules: ["+zmscore"] },
        PARTITIONS,
      ],
    },
    connecting(),
    {
      purpose: "creating and moving groups, and counting what a move skips or repeats: reads entries",
      need: "optional",
      grants: [{ keys: ["stream"], rules: ["+xgroup|create", "+xgroup|setid", "+xrange"] }],
    },
    {
      purpose: "deleting groups and their bookkeeping",
      need: "optional",
      grants: [
        { keys: ["stream"], rules: ["+xgroup|destroy"] },
        { keys: BOOKKEEPING, rules: ["+unlink"] },
      ],
    },
    {
      purpose: "acknowledging, releasing and dead-lettering single messages: reads them",
      need: "settle",
      grants: [
        { keys: ["stream"], rules: ["+xack", "+xclaim", "+xrange"] },
        { keys: ["dead"], rules: ["+xadd"] },
        { keys: ["due"], rules: ["+zrem"] },
        { keys: ["stream", "ours"], rules: SCRIPTS },
      ],
    },
    {
      purpose: "handing messages over from one consumer to another",
      need: "optional",
      grants: [
        { keys: ["stream"], rules: ["+xclaim"] },
        { keys: ["consumers"], rules: ["+hget"] },
        { keys: ["stream", "consumers"], rules: SCRIPTS },
      ],
    },
  ],
};

const LOOK_AT_PARTITIONS: readonly Grant[] = [{ keys: ["consumers"], rules: ["+hgetall"] }];

/** What a role needs in addition where the stream has partitions: beside the logical stream, and of each partition. */
const PARTITION_RIGHTS: Readonly<
  Partial<Record<Role, { readonly logical: readonly Grant[]; readonly each: readonly Grant[] }>>
> = {
  producer: { logical: [{ keys: ["partitions"], rules: ["+set", "+get"] }], each: [] },
  consumer: {
    logical: [
      { keys: ["partitions"], rules: ["+set", "+get"] },
      { keys: ["consumers"], rules: ["+hget", "+hset", "+hdel", "+hgetall", ...SCRIPTS] },
    ],
    each: [
      { keys: ["stream"], rules: ["+xread"] },
      { keys: ["owner"], rules: ["+hmget", "+hset"] },
    ],
  },
  monitor: { logical: LOOK_AT_PARTITIONS, each: [] },
  scaler: { logical: LOOK_AT_PARTITIONS, each: [] },
  dashboard: { logical: LOOK_AT_PARTITIONS, each: [] },
  groups: { logical: LOOK_AT_PARTITIONS, each: [] },
};

/** Roles that use what is kept of the whole group beside the logical stream, as they use that of each partition. */
const LOOKS_BESIDE: readonly Role[] = ["monitor", "scaler", "dashboard"];
const BESIDE: readonly KeySet[] = [
  ...(["consumers", "final-reports", "lease:monitor", "lease:scaler", "scaler", "audit", "ours"] as const),
];

/** Whether it is about such a key. Of the scripts, which name the stream as well, their commands say what they may. */
const isBeside = ({ keys }: Grant): boolean =>
  keys.some((key) => BESIDE.includes(key)) && keys.every((key) => key === "stream" || BESIDE.includes(key));

export interface AclRulesOptions {
  /** Only what the role needs to work as it should, in a group that exists. */
  readonly least?: boolean;
  /** What is granted in addition, because somebody asked for it. */
  readonly extras?: readonly Extra[];
  /** Whether the server is a Redis Cluster. */
  readonly cluster?: boolean;
  /** Whether the stream has partitions: then the rules are those of all its partitions. */
  readonly partitions?: boolean;
}

/** What can be requested for a role. */
export function extrasOf(role: Role): readonly Extra[] {
  return RIGHTS[role].map(({ need }) => need).filter((need) => need !== "least" && need !== "optional");
}

/**
 * The ACL rules of a role for a stream, or for several of them, each an argument of ACL SETUSER: commands without a key, then
 * selectors. A command must find all of its keys in one selector, so a consumer of several streams has one more, to read them
 * together.
 *
 * @throws {ConfigError} when the stream's name leaves no room for keys beside it
 */
export function aclRules(
  role: Role,
  stream: string | readonly string[],
  options: AclRulesOptions = {},
): readonly string[] {
  const { least = false, extras = [], cluster = false, partitions = false } = options;
  const parts = RIGHTS[role].filter(
    ({ need }) => need === "least" || (need === "optional" ? !least : extras.includes(need)),
  );
  const grants = parts.flatMap((part) => part.grants);
  const streams = [stream].flat();
  const all = cluster ? [...grants, { keys: [], rules: CLUSTER_RULES }] : grants;
  if (partitions) {
    const { logical = [], each = [] } = PARTITION_RIGHTS[role] ?? {};
    const beside = all.filter(
      (grant) => grant.keys === BOOKKEEPING || (LOOKS_BESIDE.includes(role) && isBeside(grant)),
    );
    return [
      ...new Set(
        streams.flatMap((one) => [
          ...rulesOf([...all, ...each], one, "partitions"),
          ...rulesOf([...logical, ...beside], one),
        ]),
      ),
    ];
  }
  const rules = new Set(streams.flatMap((one) => rulesOf(all, one)));
  if (role === "consumer" && streams.length > 1) {
    rules.add(`(${streams.map((one) => keyPattern("stream", one)).join(" ")} +xreadgroup)`);
  }
  return [...rules];
}

/** The ACL rules of some grants: commands without a key, then one selector for each combination of keys. */
export function rulesOf(
  grants: readonly Grant[],
  stream: string,
  of: "stream" | "partitions" = "stream",
): readonly string[] {
  const bare = new Set<string>();
  const selectors = new Map<string, Set<string>>();
  for (const { keys, rules } of grants) {
    const patterns = keys.map((set) => keyPattern(set, stream, of)).join(" ");
    const known = keys.length === 0 ? bare : (selectors.get(patterns) ?? new Set());
    for (const rule of rules) known.add(rule);
    if (keys.length > 0) selectors.set(patterns, known);
  }
  return [...bare, ...[...selectors].map(([patterns, rules]) => `(${patterns} ${[...rules].join(" ")})`)];
}

/** The rules that a role needs for a command; none if it does not need the command. */
export function rulesFor(role: Role, stream: string, command: string): readonly string[] {
  if (command.startsWith("cluster|")) return CLUSTER_RULES;
  const grants = RIGHTS[role].flatMap((part) => part.grants);
  const needed = grants.flatMap(({ keys, rules }) => {
    const those = rules.filter((rule) => rule === `+${command}` || rule.startsWith(`+${command}|`));
    return those.length === 0 ? [] : [{ keys, rules: those }];
  });
  return rulesOf(needed, stream);
}

function keyPattern(set: KeySet, stream: string, of: "stream" | "partitions" = "stream"): string {
  // Whatever comes behind the slash in the names of partitions has no special character.
  const each = of === "partitions" ? "/*" : "";
  if (set === "stream") return `~${escapeGlob(stream)}${each}`;
  if (set === "partitions") return `~${escapeGlob(partitionsKey(stream))}`;
  const [before, after] = keyParts(stream);
  const [tag, rest] = [before.slice(0, before.lastIndexOf("}")), before.slice(before.lastIndexOf("}"))];
  // Never those of another stream, because ":" is escaped in names.
  const kind = set === "ours" ? "*" : set;
  return `~${escapeGlob(tag)}${each}${escapeGlob(rest)}${kind}${escapeGlob(after.slice(0, -1))}${each}:*`;
}

// An ACL file and a selector are split at spaces, quotes and brackets, and cannot escape all of them in a pattern.
const CLASSES: Readonly<Record<string, string>> = { '"': "[!-#]", "'": "[&-(]", "(": "[(]", ")": "[)]" };

/**
 * A name as a pattern that matches only this name. Some characters cannot stand in a pattern: a space, a control character
 * or a byte that is not UTF-8 matches any of them, and a quote its neighbours in ASCII as well.
 */
function escapeGlob(name: string): string {
  return (
    name
      .replaceAll(/[\\*?[\]]/g, "\\$&")
      .replaceAll(/["'()]/g, (character) => CLASSES[character] ?? "")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they cannot stand in a pattern
      .replaceAll(/[\0-\x20\x7f]|[\u{dc80}-\u{dcff}]/gu, "[^!-~]")
  );
}
