import type { ConsumerReport, ConsumerStatus, GroupHealth, GroupReport, MonitorReport } from "../report.ts";

/**
 * What is announced: the words of the report · `MESSAGES LOST`, some were removed before their time · `BLIND`, the monitor
 * cannot see the stream.
 */
export type AlertStatus = GroupHealth | ConsumerStatus | "MESSAGES LOST" | "BLIND";

/**
 * What an alert is about: `group`, the health of a consumer group · `messages`, whether any were removed from the stream
 * before the group had finished them · `consumer`, the status of one consumer · `monitor`, whether it sees the stream.
 */
export type AlertTopic = "group" | "messages" | "consumer" | "monitor";

/** That something is wrong, wrong in another way, or no longer wrong. */
export interface AlertChange {
  /** The version of this shape; fields are added without a new one. */
  readonly v: 1;
  /** Per `key` always `firing`, any number of `changed`, `resolved`, and so on. */
  readonly kind: "firing" | "changed" | "resolved";
  /** The same text for all that is said of one thing, by every monitor of the stream. */
  readonly key: string;
  readonly about: AlertTopic;
  readonly stream: string;
  /** `null` when it is about the monitor. */
  readonly group: string | null;
  /** `null` unless it is about a consumer. */
  readonly consumer: string | null;
  /** What was announced before; `null` when nothing was wrong. */
  readonly from: AlertStatus | null;
  /** How it is now; `null` when the group or the consumer is not there any more. */
  readonly to: AlertStatus | null;
  /** Why, in words. */
  readonly reason: string;
  /** Since when it is so, in milliseconds since 1970: by the server's clock, or by this machine's when it is not seen. */
  readonly sinceMs: number;
  /** When it was judged, by the same clock. */
  readonly atMs: number;
}

/** How long something must be so before it is said: for that many looks in a row, and that long. */
export interface Hold {
  readonly looks: number;
  readonly ms: number;
}

export interface AlertingPolicy {
  /** Before something is called wrong, or wrong in another way. */
  readonly fire: Hold;
  /** Before it is called well again. */
  readonly resolve: Hold;
  readonly perConsumer: boolean;
}

type Claim = AlertStatus | "wrong" | "well";

interface Run {
  readonly sinceMs: number;
  readonly looks: number;
}

/** What is remembered of a thing that is not simply well. */
interface Track {
  readonly subject: Subject;
  /** What was announced last; `null`: nothing yet. */
  readonly announced: AlertStatus | null;
  /** The looks in a row that speak against it, and what they say: one status while it fires, anything wrong before. */
  readonly against: (Run & { readonly claim: Claim }) | null;
}

/** By the `key` of the alerts. Its size is bounded by what the reports hold. */
export type AlertTracks = ReadonlyMap<string, Track>;

type Subject = Pick<AlertChange, "about" | "stream" | "group" | "consumer">;

interface Observation {
  readonly subject: Subject;
  readonly status: AlertStatus | null;
  readonly verdict: "well" | "wrong" | "unknown";
  readonly reason: string;
}

/** What became of the tracks, and what is to be announced. */
export interface AlertDecision {
  readonly tracks: AlertTracks;
  readonly changes: readonly AlertChange[];
}

/**
 * Says what a report changes about what was announced. What flaps says nothing new: every announcement has held as long
 * as its {@link Hold}, and what is not known neither raises an alert nor ends one.
 */
export function decideAlerts(tracks: AlertTracks, report: MonitorReport, policy: AlertingPolicy): AlertDecision {
  const observations = new Map<string, Observation>();
  for (const observation of observe(report, policy.perConsumer)) {
    const key = keyOf(observation.subject);
    // Names that are not text in Redis can become equal here; one alert cannot be about two things.
    if (!observations.has(key)) observations.set(key, observation);
  }
  for (const [key, { subject }] of tracks) {
    // Of another monitor's stream this report says nothing.
    if (subject.stream === report.stream && !observations.has(key)) observations.set(key, gone(subject));
  }
  return follow(tracks, observations, report.atMs, policy);
}

/** A look that failed. */
export interface FailedLook {
  readonly stream: string;
  /** Why, in words. */
  readonly reason: string;
  /** When, in milliseconds since 1970. */
  readonly atMs: number;
}

/** Says what a failed look changes: of groups and consumers nothing is known, so it is about the monitor alone. */
export function decideBlindness(tracks: AlertTracks, look: FailedLook, policy: AlertingPolicy): AlertDecision {
  const { stream, reason, atMs } = look;
  const subject: Subject = { about: "monitor", stream, group: null, consumer: null };
  const observation: Observation = { subject, status: "BLIND", verdict: "wrong", reason };
  return follow(tracks, new Map([[keyOf(subject), observation]]), atMs, policy);
}

/** Takes the observations into the tracks; those that nothing was observed of stay as they are. */
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
  const before = track.against?.claim === claim ? track.against : { sinceMs: nowMs, looks: 0 };
  // The server's clock can go back, after a failover; a run does not begin in the future.
  const against = { claim, sinceMs: Math.min(before.sinceMs, nowMs), looks: before.looks + 1 };
  const hold = verdict === "well" ? policy.resolve : policy.fire;
  if (against.looks < hold.looks || nowMs - against.sinceMs < hold.ms)
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
    reason: "it sees the stream",
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
  if (unreadLost === null) return { status: "UNKNOWN", verdict: "unknown", reason: "it is not known" };
  return { status: "OK", verdict: "well", reason: "no message is known to be lost" };
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
  return { subject, status: null, verdict: "well", reason: `the ${what} is not there any more` };
}

/** As JSON, because names may hold every character that could part them. */
function keyOf({ about, stream, group, consumer }: Subject): string {
  return JSON.stringify([about, stream, group, consumer].filter((name) => name !== null));
}
