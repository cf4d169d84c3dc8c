/** What a failure would lose, of a server that takes writes: judged by its replicas and settings. */
import type { ServerReport } from "../stream-client.ts";
import { type Finding, finding } from "./diagnosis.ts";

/** The settings that are judged. */
export const DURABILITY_SETTINGS = [
  ...["appendonly", "appendfsync", "save", "maxmemory", "maxmemory-policy"],
  ...["min-replicas-to-write", "min-replicas-max-lag"],
] as const;

type Facts = ReadonlyMap<string, string>;

const NEARLY_FULL = 0.9;
/** A replica acknowledges once a second. */
const MOST_LAG_SECONDS = 5;

/** Of each master of a Cluster, or of the only server. What several of them have in common is said once. */
export function diagnoseDurability(reports: readonly ServerReport[]): readonly Finding[] {
  const counts = new Map<string, { readonly found: Finding; count: number }>();
  for (const found of reports.flatMap(diagnoseOne)) {
    const key = JSON.stringify(found);
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { found, count: 1 });
    else known.count++;
  }
  return [...counts.values()].map(({ found, count }) =>
    count === reports.length ? found : { ...found, finding: `${count} of ${reports.length} masters: ${found.finding}` },
  );
}

function diagnoseOne({ info, settings }: ServerReport): readonly Finding[] {
  if (info === null) return [];
  if (info.get("role") === "slave") return [];
  return [
    ...diagnoseReplicas(info, settings),
    ...diagnosePersistence(info, settings),
    ...diagnoseEviction(info),
    diagnoseMemory(info),
  ];
}

interface Replica {
  readonly isOnline: boolean;
  readonly lagSeconds: number;
}

function replicasOf(info: Facts): readonly Replica[] {
  return [...info]
    .filter(([name]) => /^slave\d+$/.test(name))
    .map(([, line]) => {
      const fields = new Map(line.split(",").map((field) => field.split("=") as [string, string]));
      return { isOnline: fields.get("state") === "online", lagSeconds: Number(fields.get("lag") ?? 0) };
    });
}

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`;

function diagnoseReplicas(info: Facts, settings: Facts | null): Finding[] {
  const connected = Number(info.get("connected_slaves") ?? 0);
  const replicas = replicasOf(info);
  const late = replicas.filter(({ isOnline, lagSeconds }) => !isOnline || lagSeconds > MOST_LAG_SECONDS).length;
  const needed = settings?.get("min-replicas-to-write");
  // The server reports it only while it requires replicas.
  const keepingUp = Number(info.get("min_slaves_good_slaves") ?? connected);
  return [
    ...(late === 0
      ? []
      : [
          finding(
            "replicas",
            "warning",
            `${late} of ${count(connected, "replica is", "replicas are")} behind by more than ${MOST_LAG_SECONDS} s: if it takes over, confirmed messages of that time are lost`,
            "check its link, and the log of the replica",
          ),
        ]),
    connected === 0 && Number(needed ?? 0) === 0
      ? finding(
          "replicas",
          "info",
          "there are no replicas: while this server is away nothing can be added, and if its disk is lost, every message is lost",
          "add replicas, with Sentinel or Cluster, if that matters",
        )
      : diagnoseWaiting({ connected, keepingUp }, needed === undefined ? null : Number(needed), settings),
  ];
}

/** @param needed how many replicas the server wants before it takes a write; `null` if unknown */
function diagnoseWaiting(
  { connected, keepingUp }: { readonly connected: number; readonly keepingUp: number },
  needed: number | null,
  settings: Facts | null,
): Finding {
  const there =
    keepingUp === connected
      ? count(connected, "replica follows", "replicas follow")
      : `${keepingUp} of ${count(connected, "replica keeps up", "replicas keep up")}`;
  const advice = `set waitForReplicas: { count: ${Math.max(1, connected)} } on producers that must not lose a message`;
  if (needed === null) {
    return finding(
      "replicas",
      "unknown",
      `${there}; whether the server takes writes without them is unknown, because CONFIG is refused: assume that a failover loses the last confirmed messages`,
      `${advice}; ask your provider for min-replicas-to-write`,
    );
  }
  const lag = settings?.get("min-replicas-max-lag") ?? "10";
  // Either of the two turns it off.
  const off = needed === 0 ? "min-replicas-to-write" : lag === "0" ? "min-replicas-max-lag" : null;
  if (off !== null) {
    return finding(
      "replicas",
      "info",
      `${there}, but nothing waits for them (${off} is 0): a failover loses confirmed messages, of seconds if the master was cut off or is replaced as planned`,
      advice,
    );
  }
  if (keepingUp < needed) {
    return finding(
      "replicas",
      "problem",
      `min-replicas-to-write is ${needed}, and ${there}: the server refuses all writes (NOREPLICAS), reads and acknowledgements of consumers too`,
      "bring the replicas back, or lower min-replicas-to-write",
    );
  }
  if (keepingUp === needed) {
    return finding(
      "replicas",
      "warning",
      `${there}, and all of them are needed (min-replicas-to-write): without one of them, as after a failover, the server refuses all writes, reads and acknowledgements of consumers too`,
      "add a replica, or lower min-replicas-to-write",
    );
  }
  return finding(
    "replicas",
    "ok",
    `${there}, and the server refuses writes once fewer than ${needed} are within ${lag} s of it: a master that was cut off loses what it confirmed in that time; a planned failover loses confirmed messages all the same, without waitForReplicas`,
  );
}

function diagnosePersistence(info: Facts, settings: Facts | null): Finding[] {
  const findings: Finding[] = [
    info.get("aof_enabled") === "1" ? diagnoseSync(settings) : diagnoseSnapshots(info, settings),
  ];
  if ((info.get("aof_last_write_status") ?? "ok") !== "ok") {
    findings.push(
      finding(
        "persistence",
        "problem",
        "the last write to the append-only file failed",
        "check the server's disk and log",
      ),
    );
  }
  if ((info.get("rdb_last_bgsave_status") ?? "ok") !== "ok") {
    findings.push(
      finding(
        "persistence",
        "problem",
        "the last snapshot failed, so the server may refuse writes (MISCONF)",
        "check the server's disk and log",
      ),
    );
  }
  return findings;
}

function diagnoseSync(settings: Facts | null): Finding {
  const on = "the append-only file is on";
  switch (settings?.get("appendfsync")) {
    case "always":
      return finding("persistence", "ok", `${on}, synced before each confirmation: a power cut loses nothing`);
    case "everysec":
      return finding(
        "persistence",
        "ok",
        `${on}, synced every second: a restart loses nothing, a power cut the confirmed messages of the last second or two`,
      );
    case "no":
      return finding(
        "persistence",
        "warning",
        `${on}, but the operating system decides when it is synced (appendfsync no): a power cut loses confirmed messages of about 30 s`,
        "CONFIG SET appendfsync everysec, and CONFIG REWRITE",
      );
    default:
      return finding(
        "persistence",
        "unknown",
        `${on}; how often it is synced is unknown, because CONFIG is refused: assume that a power cut loses the confirmed messages of the last seconds`,
        "grant +config|get, or ask your provider for appendfsync",
      );
  }
}

function diagnoseSnapshots(info: Facts, settings: Facts | null): Finding {
  const off = "the append-only file is off";
  const fix = "CONFIG SET appendonly yes, and CONFIG REWRITE";
  const save = settings?.get("save");
  if (save === "") {
    return finding("persistence", "warning", `${off}, and so are snapshots (save): a restart loses every message`, fix);
  }
  const changes = info.get("rdb_changes_since_last_save");
  const since = changes === undefined ? "" : ` (${changes} changes so far)`;
  return finding(
    "persistence",
    "warning",
    save === undefined
      ? `${off}; whether there are snapshots is unknown, because CONFIG is refused: a crash loses at least everything confirmed since the last one${since}`
      : `${off}, and there are only snapshots (save ${save}): a crash loses everything confirmed since the last one${since}`,
    fix,
  );
}

function diagnoseEviction(info: Facts): Finding[] {
  const policy = info.get("maxmemory_policy");
  const isLimited = Number(info.get("maxmemory") ?? 0) > 0;
  const fix = "CONFIG SET maxmemory-policy noeviction, and CONFIG REWRITE";
  if (policy === undefined) {
    return [
      finding(
        "eviction",
        "unknown",
        "the server does not say what it deletes when its memory is full (maxmemory-policy)",
        "ask your provider; with allkeys-* it would delete whole streams",
      ),
    ];
  }
  if (policy.startsWith("allkeys-")) {
    return [
      finding(
        "eviction",
        isLimited ? "problem" : "warning",
        `maxmemory-policy is ${policy}: ${isLimited ? "when memory is full it deletes whole streams with their groups" : "once a limit is set it deletes whole streams"}, unread messages included`,
        fix,
      ),
    ];
  }
  if (policy.startsWith("volatile-") && isLimited) {
    return [
      finding(
        "eviction",
        "warning",
        `maxmemory-policy is ${policy}: it deletes no streams, but when memory is full it deletes idempotency keys, so that a repeated add adds again, and leases of monitors and scalers`,
        fix,
      ),
    ];
  }
  return [finding("eviction", "ok", `maxmemory-policy is ${policy}: it deletes no streams`)];
}

function diagnoseMemory(info: Facts): Finding {
  const [used, most] = [Number(info.get("used_memory") ?? 0), Number(info.get("maxmemory") ?? 0)];
  if (most === 0) {
    return finding(
      "memory",
      "info",
      "maxmemory is not set: the server may use all the memory of the machine",
      "CONFIG SET maxmemory 2gb (or what the machine can spare), and CONFIG REWRITE",
    );
  }
  const share = used / most;
  const percent = `${Math.round(100 * share)} % of maxmemory is used`;
  if (share < NEARLY_FULL) return finding("memory", "ok", percent);
  return finding(
    "memory",
    share >= 1 ? "problem" : "warning",
    percent,
    "`redis-batch trim` deletes what every group has finished; when memory is full, the server refuses producers, but not consumers",
  );
}
