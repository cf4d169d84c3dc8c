import type { ConsumerReport, ConsumerStatus, GroupHealth, GroupReport, MonitorReport } from "../report.ts";

/**
 * The announced status: that of the report · `MESSAGES LOST`, some were removed too early · `BLIND`, the monitor cannot
 * read the stream.
 */
export type AlertStatus = GroupHealth | ConsumerStatus | "MESSAGES LOST" | "BLIND";

/**
 * The subject of an alert: `group`, the health of a consumer group · `messages`, whether any were removed from the stream
 * before the group had finished them · `consumer`, the status of one consumer · `monitor`, whether it can read the stream.
 */
export type AlertTopic = "group" | "messages" | "consumer" | "monitor";

/** A notice that a problem has begun, changed, or ended. */
export interface AlertChange {
  /** The version of this shape; fields are added without a new one. */
  readonly v: 1;
  /** Per `key` always `firing`, any number of `changed`, `resolved`, and so on. */
  readonly kind: "firing" | "changed" | "resolved";
  /** The same for all notices about one subject, from every monitor of the stream. */
  readonly key: string;
  readonly about: AlertTopic;
  readonly stream: string;
  /** `null` if it is about the monitor. */
  readonly group: string | null;
  /** `null` unless it is about a consumer. */
  readonly consumer: string | null;
  /** The status that was announced before; `null` if there was no problem. */
  readonly from: AlertStatus | null;
  /** The current status; `null` if the group or the consumer no longer exists. */
  readonly to: AlertStatus | null;
  /** Why, in words. */
  readonly reason: string;
  /** Since when, in milliseconds since 1970: by the server's clock, or by this machine's if the server cannot be read. */
  readonly sinceMs: number;
  /** When it was judged, by the same clock. */
  readonly atMs: number;
}

/** How long a status must hold before it is announced: for this many passes in a row, and this long. */
export interface Hold {
  readonly passes: number;
  readonly ms: number;
}

export interface AlertingPolicy {
  /** Before a problem, or a change of it, is announced. */
  readonly fire: Hold;
  /** Before it is announced as resolved. */
  readonly resolve: Hold;
  readonly perConsumer: boolean;
}

type Claim = AlertStatus | "wrong" | "well";

interface Run {
  readonly sinceMs: number;
  readonly passes: number;
}

/** The state of a subject that has, or may have, a problem. */
interface Track {
  readonly subject: Subject;
  /** The last announcement; `null`: none yet. */
  readonly announced: AlertStatus | null;
  /** The passes in a row that contradict the announcement: with the same status while it fires, with any problem before. */
  readonly against: (Run & { readonly claim: Claim }) | null;
}

/** By the `key` of the alerts. Its size is bounded by the contents of the reports. */
export type AlertTracks = ReadonlyMap<string, Track>;

type Subject = Pick<AlertChange, "about" | "stream" | "group" | "consumer">;

interface Observation {
  readonly subject: Subject;
  readonly status: AlertStatus | null;
  readonly verdict: "well" | "wrong" | "unknown";
  readonly reason: string;
}

/** The new tracks, and the notices to announce. */
export interface AlertDecision {
  readonly tracks: AlertTracks;
  readonly changes: readonly AlertChange[];
}

/**
 * Decides what a report changes about the announcements. A flapping status announces nothing: every announced status has
 * held as long as its {@link Hold}, and an unknown status neither raises an alert nor ends one.
 */
export function decideAlerts(tracks: AlertTracks, report: MonitorReport, policy: AlertingPolicy): AlertDecision {
  const observations = new Map<string, Observation>();
  for (const observation of observe(report, policy.perConsumer)) {
    const key = keyOf(observation.subject);
    // Names that are not text in Redis can become equal here; one alert cannot be about two things.
    if (!observations.has(key)) observations.set(key, observation);
  }
  for (const [key, { subject }] of tracks) {
    // This report says nothing about other streams.
    if (subject.stream === report.stream && !observations.has(key)) observations.set(key, gone(subject));
  }
  return follow(tracks, observations, report.atMs, policy);
}

/** A failed pass. */
export interface FailedPass {
  readonly stream: string;
  /** Why, in words. */
  readonly reason: string;
  /** When, in milliseconds since 1970. */
  readonly atMs: number;
}

/** Decides what a failed pass changes: groups and consumers are unknown, so it is only about the monitor. */
export function decideBlindness(tracks: AlertTracks, failed: FailedPass, policy: AlertingPolicy): AlertDecision {
  const { stream, reason, atMs } = failed;
  const subject: Subject = { about: "monitor", stream, group: null, consumer: null };
  const observation: Observation = { subject, status: "BLIND", verdict: "wrong", reason };
  return follow(tracks, new Map([[keyOf(subject), observation]]), atMs, policy);
}

/** Updates the tracks with the observations; tracks without an observation are unchanged. */
function follow(
  tracks: AlertTracks,
  observations: ReadonlyMap<string, Observation>,
  nowMs: number,
  policy: AlertingPolicy,
): AlertDecision {
  const next = new Map(tracks);
  const changes: AlertChange[] = [];
  for (const [key, observation] of observations) {
    const track = tracks.get(key) ?? { subject: observation.subject, announced: null, against: null };
    const judged = judge(track, observation, nowMs, policy);
    if (judged.track === null) next.delete(key);
    else next.set(key, judged.track);
    if (judged.change !== null) changes.push({ v: 1, key, ...observation.subject, ...judged.change });
  }
  return { tracks: next, changes };
}

type Announcement = Pick<AlertChange, "kind" | "from" | "to" | "reason" | "sinceMs" | "atMs">;

function judge(
  track: Track,
  { status, verdict, reason }: Observation,
  nowMs: number,
  policy: AlertingPolicy,
): { readonly track: Track | null; readonly change: Announcement | null } {
  const { announced } = track;
  if (verdict === "unknown")
    return { track: announced === null && track.against === null ? null : track, change: null };
  if (announced === null && verdict === "well") return { track: null, change: null };
  if (announced !== null && status === announced) return { track: { ...track, against: null }, change: null };

  const claim: Claim = verdict === "well" ? "well" : announced === null || status === null ? "wrong" : status;
  const before = track.against?.claim === claim ? track.against : { sinceMs: nowMs, passes: 0 };
  // The server's clock can go back after a failover; a streak does not begin in the future.
  const against = { claim, sinceMs: Math.min(before.sinceMs, nowMs), passes: before.passes + 1 };
  const hold = verdict === "well" ? policy.resolve : policy.fire;
  if (against.passes < hold.passes || nowMs - against.sinceMs < hold.ms)
    return { track: { ...track, against }, change: null };

  const said = { from: announced, to: status, reason, sinceMs: against.sinceMs, atMs: nowMs };
  if (verdict === "well") return { track: null, change: { kind: "resolved", ...said } };
  return {
    track: { ...track, announced: status, against: null },
    change: { kind: announced === null ? "firing" : "changed", ...said },
  };
}

function* observe({ stream, groups }: MonitorReport, perConsumer: boolean): Generator<Observation> {
  yield {
    subject: { about: "monitor", stream, group: null, consumer: null },
    status: "OK",
    verdict: "well",
    reason: "it can read the stream",
  };
  for (const report of groups) {
    const { group, health, reason, retention, consumers } = report;
    yield {
      subject: { about: "group", stream, group, consumer: null },
      status: health,
      verdict: health === "OK" ? "well" : health === "UNKNOWN" ? "unknown" : "wrong",
      reason,
    };
    yield { subject: { about: "messages", stream, group, consumer: null }, ...observeMessages(retention) };
    if (!perConsumer) continue;
    for (const consumer of consumers) yield observeConsumer(stream, report, consumer);
  }
}

function observeMessages({ unreadLost, pendingLost }: GroupReport["retention"]): Omit<Observation, "subject"> {
  const causes = [
    ...(unreadLost !== null && unreadLost > 0 ? [`${unreadLost} before the group had read them`] : []),
    ...(pendingLost ? ["some while they were pending in the group"] : []),
  ];
  if (causes.length > 0) {
    const reason = `messages were removed from the stream: ${causes.join(", ")}`;
    return { status: "MESSAGES LOST", verdict: "wrong", reason };
  }
  if (unreadLost === null)
    return { status: "UNKNOWN", verdict: "unknown", reason: "it is unknown whether messages were lost" };
  return { status: "OK", verdict: "well", reason: "no lost messages are known" };
}

function observeConsumer(
  stream: string,
  { group }: GroupReport,
  { consumer, status, reason }: ConsumerReport,
): Observation {
  return {
    subject: { about: "consumer", stream, group, consumer },
    status,
    verdict: status === "OK" || status === "DRAINING" ? "well" : "wrong",
    reason,
  };
}

function gone(subject: Subject): Observation {
  const what = subject.about === "consumer" ? "consumer" : "group";
  return { subject, status: null, verdict: "well", reason: `the ${what} no longer exists` };
}

/** As JSON, because names may contain any separator. */
function keyOf({ about, stream, group, consumer }: Subject): string {
  return JSON.stringify([about, stream, group, consumer].filter((name) => name !== null));
}
