/** The atomic operations of the in-memory Redis: each does what the Lua script of the same name does. */
import { compareEntryIds, type EntryId, type GroupPause } from "@redis-batch/core";
import {
  encodeRateLimit,
  encodeTold,
  PAUSE_FIELD,
  parseGroupPause,
  parseRateLimit,
  pauseInForce,
  RATE_FIELD,
} from "@redis-batch/core/internal/groups";
import { type DeliveredEntry, inStreamOrder, readLetter } from "@redis-batch/core/internal/messages";
import { groupKey, idempotencyKey, LATER, RELEASED } from "@redis-batch/core/internal/names";
import { copyOf, xadd } from "./memory-commands.ts";
import type { MemoryKeyspace } from "./memory-keyspace.ts";
import type {
  AckOwnedResult,
  AddOnceOptions,
  AddOnceResult,
  AdoptedPage,
  AdoptPendingOptions,
  CountHangOptions,
  Deletion,
  ForgetDueOptions,
  HandOver,
  HandOverOptions,
  HandOverPage,
  HandOverPageOptions,
  HandOverRefusal,
  HeartbeatOptions,
  HeartbeatResult,
  HoldLeaseOptions,
  HoldPartitionOptions,
  LeaseAnswer,
  MoveToDeadLettersOptions,
  MoveToDeadLettersResult,
  OwnedRead,
  Ownership,
  OwnMessages,
  PauseChange,
  PauseGroupOptions,
  ReadDueOptions,
  ReadDueResult,
  ReadOwnedOptions,
  RedeliverOwnOptions,
  RedeliverOwnResult,
  Redrive,
  RedriveLetterOptions,
  ReleaseOptions,
  ReleaseResult,
  Removal,
  RemoveIfEmptyOptions,
  Renewal,
  Reservation,
  ReserveRateOptions,
  SafeTrim,
  ScheduleLaterOptions,
  SetRateOptions,
  SetRateResult,
  TakeOptions,
  TakeResult,
  TrimToSafePointOptions,
  WriteInTermOptions,
  XackdelOptions,
} from "./port.ts";

/** Those of the ids that the consumer owns, in stream order, with their delivery counts. */
function ownedDeliveries(keys: MemoryKeyspace, { consumer, ids, ...address }: OwnMessages): Map<EntryId, number> {
  const owned = new Map<EntryId, number>();
  if (ids.length === 0) return owned;
  const group = keys.group(address);
  for (const id of inStreamOrder(ids)) {
    const deliveries = group.deliveriesOf(id, consumer);
    if (deliveries !== undefined) owned.set(id, deliveries);
  }
  return owned;
}

export function ackOwned(keys: MemoryKeyspace, own: OwnMessages): AckOwnedResult {
  const owned = ownedDeliveries(keys, own);
  if (owned.size > 0) keys.group(own).acknowledge([...owned.keys()]);
  const ordered = inStreamOrder(own.ids);
  return {
    acknowledged: ordered.filter((id) => owned.has(id)),
    notOwned: ordered.filter((id) => !owned.has(id)),
  };
}

export function renewOwned(keys: MemoryKeyspace, own: OwnMessages): ReadonlyMap<EntryId, Renewal> {
  const owned = ownedDeliveries(keys, own);
  const kept = new Set(claimOwn(keys, own, [...owned.keys()], (count) => count).map(({ id }) => id));
  return new Map(inStreamOrder(own.ids).map((id) => [id, kept.has(id) ? "kept" : owned.has(id) ? "trimmed" : "taken"]));
}

export function redeliverOwn(keys: MemoryKeyspace, { messages, ...own }: RedeliverOwnOptions): RedeliverOwnResult {
  const counts = new Map(messages.map(({ id, deliveries }) => [id, Math.min(deliveries, Number.MAX_SAFE_INTEGER)]));
  const owned = ownedDeliveries(keys, { ...own, ids: [...counts.keys()] });
  const claimed = claimOwn(keys, own, [...owned.keys()], (count, id) => counts.get(id) ?? count);
  const present = new Set(claimed.map(({ id }) => id));
  return {
    entries: claimed.map((entry) => ({ ...copyOf(entry), deliveries: counts.get(entry.id) ?? 0 })),
    trimmed: [...owned.keys()].filter((id) => !present.has(id)),
  };
}

export function release(keys: MemoryKeyspace, options: ReleaseOptions): ReleaseResult {
  const { stream, group, from, to, neverOffered, offered } = options;
  const move = (ids: readonly EntryId[], deliveries: (before: number) => number): ReleaseResult => {
    const owned = [...ownedDeliveries(keys, { stream, group, consumer: from, ids }).keys()];
    const moved = new Set(claimOwn(keys, { stream, group, consumer: to }, owned, deliveries).map(({ id }) => id));
    return { moved: moved.size, trimmed: owned.filter((id) => !moved.has(id)) };
  };
  const unseen = move(neverOffered, (count) => Math.max(count - 1, 0));
  const seen = move(offered, (count) => count);
  return { moved: unseen.moved + seen.moved, trimmed: [...unseen.trimmed, ...seen.trimmed] };
}

export function take(keys: MemoryKeyspace, options: TakeOptions): TakeResult {
  const { stream, group, consumer, after, scan, count, maxBytes, suspectFrom, notWanted } = options;
  const released = keys.group({ stream, group }).pending(keys.nowMs(), RELEASED);
  const page = released.filter(({ id }) => after === null || compareEntryIds(id, after) > 0).slice(0, scan);
  const unwanted = new Set(notWanted);
  const entries: DeliveredEntry[] = [];
  const trimmed: EntryId[] = [];
  let { suspects } = options;
  let bytes = 0;
  let last = after;
  for (const { id, deliveries: before } of page) {
    if (entries.length >= count || bytes >= maxBytes) return { entries, trimmed, next: last };
    last = id;
    const deliveries = Math.min(before + 1, Number.MAX_SAFE_INTEGER);
    const isSuspect = deliveries >= suspectFrom;
    if (unwanted.has(id) || (isSuspect && suspects <= 0)) continue;
    const [entry] = claimOwn(keys, { stream, group, consumer }, [id], () => deliveries);
    if (entry === undefined) {
      trimmed.push(id);
      continue;
    }
    entries.push({ ...copyOf(entry), deliveries });
    for (const field of entry.fields) bytes += field.length;
    if (isSuspect) suspects--;
  }
  return { entries, trimmed, next: page.length < scan ? null : last };
}

export function scheduleLater(keys: MemoryKeyspace, { stream, group, delays }: ScheduleLaterOptions): void {
  const key = groupKey("due", stream, group);
  const times = delays.map(({ id, delayMs }) => [id, keys.nowMs() + Math.ceil(delayMs)] as const);
  keys.putSortedSet(key, new Map([...keys.sortedSet(key), ...times]));
}

export function readDue(
  keys: MemoryKeyspace,
  { stream, group, limit, skip = 0, withinMs = 0 }: ReadDueOptions,
): ReadDueResult {
  const nowMs = keys.nowMs();
  const untilMs = nowMs + withinMs;
  const times = [...keys.sortedSet(groupKey("due", stream, group))]
    .map(([id, atMs]) => ({ id, atMs }))
    // As Redis does: by time, and by the bytes of the name where times are the same.
    .toSorted((left, right) => left.atMs - right.atMs || Buffer.compare(Buffer.from(left.id), Buffer.from(right.id)));
  const next = times.find(({ atMs }) => atMs > untilMs);
  const due = times.filter(({ atMs }) => atMs <= untilMs).slice(skip, skip + limit);
  return { due, nextInMs: next === undefined ? null : next.atMs - nowMs };
}

export function forgetDue(keys: MemoryKeyspace, { stream, group, due }: ForgetDueOptions): number {
  const key = groupKey("due", stream, group);
  const rest = new Map(keys.sortedSet(key));
  const forgotten = due.filter(({ id, atMs }) => rest.get(id) === atMs && rest.delete(id));
  keys.putSortedSet(key, rest);
  return forgotten.length;
}

export function countHang(keys: MemoryKeyspace, { stream, group, id, rememberMs }: CountHangOptions): number {
  const key = groupKey("hung", stream, group);
  const nowMs = keys.nowMs();
  const hung = new Map([...keys.sortedSet(key)].filter(([, atMs]) => atMs >= nowMs - rememberMs));
  const times = hung.has(id) ? 2 : 1;
  keys.putSortedSet(key, hung.set(id, nowMs));
  return times;
}

function claimOwn(
  keys: MemoryKeyspace,
  { stream, group, consumer }: Omit<OwnMessages, "ids">,
  ids: readonly EntryId[],
  deliveries: (before: number, id: EntryId) => number,
) {
  if (ids.length === 0) return [];
  return keys.group({ stream, group }).claim({ consumer, ids, minIdleMs: 0, deliveries }, keys.nowMs());
}

export function moveToDeadLetters(
  keys: MemoryKeyspace,
  { stream, group, consumer, id, reason, error }: MoveToDeadLettersOptions,
): MoveToDeadLettersResult {
  const pending = keys.group({ stream, group });
  const deliveries = pending.deliveriesOf(id, consumer);
  if (deliveries === undefined) return { kind: "not-owned" };
  const entry = keys.existingStream(stream).find(id);
  if (entry === undefined) {
    pending.acknowledge([id]);
    return { kind: "trimmed" };
  }
  const history = [
    ...["dead.id", id, "dead.consumer", consumer, "dead.deliveries", deliveries],
    ...["dead.reason", reason, "dead.error", error, "dead.at", keys.nowMs()],
  ];
  const deadId = xadd(keys, { stream: groupKey("dead", stream, group), fields: [...entry.fields, ...history] });
  pending.acknowledge([id]);
  return { kind: "dead-lettered", deadId };
}

export function redrive(keys: MemoryKeyspace, options: RedriveLetterOptions): Redrive {
  const { stream, group, id, ifTrimmed } = options;
  const dead = keys.stream(groupKey("dead", stream, group));
  const found = dead?.find(id);
  if (dead === undefined || found === undefined) return { kind: "missing" };
  const letter = readLetter(found);
  if (letter === undefined) return { kind: "skipped", why: "not-a-letter" };
  const { entryId } = letter;
  const fields = [...letter.entries()].flat();
  const entry = keys.stream(stream)?.find(entryId);
  const isSame =
    entry?.fields.length === fields.length && entry.fields.every((field, at) => field.equals(fields[at] as Buffer));
  if (!isSame) {
    if (ifTrimmed === "skip") return { kind: "skipped", why: "entry-trimmed" };
    const newId = xadd(keys, { stream, fields });
    dead.delete([id]);
    return { kind: "added", entryId: newId };
  }
  const own = keys.group(options);
  if (own.isPending(entryId)) return { kind: "skipped", why: "pending" };
  if (compareEntryIds(entryId, own.lastDeliveredId) > 0) return { kind: "skipped", why: "not-read" };
  own.adopt(entryId, RELEASED, keys.nowMs());
  dead.delete([id]);
  return { kind: "redriven", entryId };
}

export function handOver(keys: MemoryKeyspace, { ids, ...options }: HandOverOptions): HandOver {
  const { stream, group, from, to } = options;
  const judged = judgeHandOver(keys, options);
  if (judged.kind === "refused") return judged;
  const owned = ownedDeliveries(keys, { stream, group, consumer: from, ids });
  if (owned.size === 0) return { kind: "moved", ids: [] };
  const claim = {
    ...{ consumer: to, ids: [...owned.keys()], minIdleMs: judged.minIdleMs },
    deliveries: (count: number) => count,
  };
  const moved = keys.group({ stream, group }).claim(claim, keys.nowMs());
  return { kind: "moved", ids: moved.map(({ id }) => id) };
}

export function handOverPage(keys: MemoryKeyspace, options: HandOverPageOptions): HandOverPage {
  const { stream, group, from, to, after, count } = options;
  const judged = judgeHandOver(keys, options);
  if (judged.kind === "refused") return judged;
  const pending = keys.group({ stream, group });
  const page = pending
    .pending(keys.nowMs(), from)
    .filter(({ id }) => after === null || compareEntryIds(id, after) > 0)
    .slice(0, count);
  const ripe = page.filter(({ idleMs }) => idleMs >= judged.minIdleMs).map(({ id }) => id);
  const claim = { consumer: to, ids: ripe, minIdleMs: 0, deliveries: (before: number) => before };
  const moved = ripe.length === 0 ? 0 : pending.claim(claim, keys.nowMs()).length;
  const lastId = page.length < count ? null : (page.at(-1)?.id ?? null);
  return { kind: "moved", moved, recent: page.length - ripe.length, trimmed: ripe.length - moved, lastId };
}

/** Why nothing may move, or how long a message must not have been delivered to move. */
function judgeHandOver(
  keys: MemoryKeyspace,
  { stream, group, from, to, toUnregistered, foreignIdleMs, seenAtMs }: Omit<HandOverOptions, "ids">,
): { readonly kind: "refused"; readonly why: HandOverRefusal } | { readonly kind: "may"; readonly minIdleMs: number } {
  const owner = registration(keys, { stream, group, consumer: from });
  if (isStillAlive(keys, owner, seenAtMs)) return { kind: "refused", why: "owner-alive" };
  const leaseMs = typeof seenAtMs === "number" ? 0 : owner?.leaseMs;
  const may = { kind: "may", minIdleMs: owner === undefined ? foreignIdleMs : (leaseMs ?? 0) } as const;
  if (toUnregistered || to === RELEASED) return may;
  const target = registration(keys, { stream, group, consumer: to });
  if (target === undefined) return { kind: "refused", why: "target-unknown" };
  return isAlive(keys, target) ? may : { kind: "refused", why: "target-silent" };
}

export function removeIfEmpty(keys: MemoryKeyspace, options: RemoveIfEmptyOptions): Removal {
  const { stream, group, consumer, onlyIfSilent, seenAtMs, finalReport } = options;
  if (consumer === RELEASED || consumer === LATER) return "reserved";
  if (onlyIfSilent && isStillAlive(keys, registration(keys, options), seenAtMs)) return "alive";
  const told = finalReport === undefined ? "" : encodeTold(finalReport);
  if (told !== "") {
    const fields = ["consumer", consumer, "told", `{"at":${keys.nowMs()},${told.slice(1)}`];
    const trim = { strategy: "maxLen", threshold: 100, approximate: true } as const;
    xadd(keys, { stream: groupKey("final-reports", stream, group), fields, trim });
  }
  const found = keys.group(options);
  const isPending = found.pending(keys.nowMs(), consumer).length > 0;
  if (!onlyIfSilent || !isPending) {
    const registry = groupKey("consumers", stream, group);
    keys.deleteHashField(registry, consumer);
    if (keys.hash(registry).get(ALONE) === consumer) keys.deleteHashField(registry, ALONE);
  }
  if (isPending) return "pending";
  found.removeConsumer(consumer);
  return "removed";
}

export function deleteIfAllGroupsDone(keys: MemoryKeyspace, own: OwnMessages): ReadonlyMap<EntryId, Deletion> {
  const owned = ownedDeliveries(keys, own);
  return deleteWhatIsDone(keys, own, (id) => owned.has(id));
}

/** Acknowledges those of the pending ids that are meant, and deletes what no group needs any more. */
export function deleteWhatIsDone(
  keys: MemoryKeyspace,
  { stream: name, group, ids }: XackdelOptions,
  isMeant: (id: EntryId) => boolean,
): ReadonlyMap<EntryId, Deletion> {
  const stream = keys.existingStream(name);
  const others = [...stream.groups].filter(([other]) => other !== group).map(([, other]) => other);
  return new Map(
    inStreamOrder(ids).map((id) => {
      if (!isMeant(id) || keys.group({ stream: name, group }).acknowledge([id]) === 0) return [id, "not-owned"];
      if (others.some((other) => other.needs(id))) return [id, "kept"];
      stream.delete([id]);
      return [id, "deleted"];
    }),
  );
}

/** The field of the registry that has the name of the consumer that must be alone. */
const ALONE = "rb:alone";
/** The one that has what its consumers agree on. */
const BESIDE = "rb:beside";

export function heartbeat(keys: MemoryKeyspace, options: HeartbeatOptions): HeartbeatResult {
  const { stream, group, consumer, incarnation, join } = options;
  const nowMs = keys.nowMs();
  const known = registration(keys, options);
  if (known !== undefined && known.incarnation !== incarnation) {
    if (join === undefined) return { kind: "replaced" };
    if (nowMs - known.at <= join.freshMs && known.at !== join.seenAtMs) return { kind: "in-use", atMs: known.at };
  }
  const registry = groupKey("consumers", stream, group);
  const alone = keys.hash(registry).get(ALONE);
  const { beside } = options;
  const isAlone = beside === "nobody";
  const isNew = !isAlone && beside !== undefined && beside !== keys.hash(registry).get(BESIDE);
  if (alone !== (isAlone ? consumer : undefined) || isNew) {
    const names = isAlone || isNew ? [...keys.hash(registry).keys()] : [alone ?? ""];
    const by = names.flatMap((name) => {
      const other = name === consumer ? undefined : registration(keys, { stream, group, consumer: name });
      const isThere = other !== undefined && isStillAlive(keys, other, join?.othersSeenAtMs?.get(name));
      return isThere ? [{ consumer: name, atMs: other.at, leaseMs: other.leaseMs }] : [];
    });
    if (by.length > 0) return { kind: "occupied", by };
    if (isAlone) keys.setHashField(registry, ALONE, consumer);
    else keys.deleteHashField(registry, ALONE);
    if (isNew) keys.setHashField(registry, BESIDE, beside);
  }
  const json = encodeTold(options);
  keys.setHashField(registry, consumer, `{"at":${nowMs},${json.slice(1)}`);
  const rateLimit = parseRateLimit(keys.hash(registry).get(RATE_FIELD));
  return { kind: "ok", serverTimeMs: nowMs, pause: pauseOf(keys, registry), rateLimit };
}

/** The pause of the group. One whose time is over is removed. */
function pauseOf(keys: MemoryKeyspace, registry: string): GroupPause | null {
  const written = parseGroupPause(keys.hash(registry).get(PAUSE_FIELD));
  const pause = pauseInForce(written, keys.nowMs());
  if (written !== null && pause === null) keys.deleteHashField(registry, PAUSE_FIELD);
  return pause;
}

/** Until when the messages offered so far are paid for, and the server's time then. */
const PAID = "rb:rate-paid";

export function reserveRate(keys: MemoryKeyspace, { stream, group, messages, own }: ReserveRateOptions): Reservation {
  const registry = groupKey("consumers", stream, group);
  if (!keys.hash(registry).has(RATE_FIELD)) {
    if (own === null) return { waitMs: 0, lastsMs: 0, limit: null };
    keys.setHashField(registry, RATE_FIELD, encodeRateLimit(own));
  }
  const limit = parseRateLimit(keys.hash(registry).get(RATE_FIELD));
  if (limit === null || messages === 0) return { waitMs: 0, lastsMs: 0, limit };
  const nowMs = keys.nowMs();
  const [paid = nowMs, seen = nowMs] = (keys.hash(registry).get(PAID) ?? "").split(" ").filter(Boolean).map(Number);
  const beginsMs = Math.max(paid - Math.max(seen - nowMs, 0), nowMs);
  const takesMs = (messages * limit.perMs) / limit.messages;
  keys.setHashField(registry, PAID, `${Math.max(beginsMs + takesMs, nowMs).toFixed(3)} ${nowMs}`);
  return { waitMs: Math.ceil(beginsMs - nowMs), lastsMs: Math.ceil(takesMs), limit };
}

export function setRate(keys: MemoryKeyspace, { stream, group, limit }: SetRateOptions): SetRateResult {
  const registry = groupKey("consumers", stream, group);
  const before = keys.hash(registry).get(RATE_FIELD);
  const now = encodeRateLimit(limit);
  if (now !== before) keys.deleteHashField(registry, PAID);
  keys.setHashField(registry, RATE_FIELD, now);
  return parseRateLimit(before);
}

export function pauseGroup(keys: MemoryKeyspace, { stream, group, pause }: PauseGroupOptions): PauseChange {
  const registry = groupKey("consumers", stream, group);
  const atMs = keys.nowMs();
  const before = pauseOf(keys, registry);
  if (pause === null) {
    keys.deleteHashField(registry, PAUSE_FIELD);
    return { atMs, before, now: null };
  }
  const { by, reason, forMs } = pause;
  const ending = forMs === null ? {} : { until: atMs + forMs };
  keys.setHashField(registry, PAUSE_FIELD, JSON.stringify({ at: atMs, ...ending, v: 1, by, reason }));
  return { atMs, before, now: pauseOf(keys, registry) };
}

interface Registration {
  readonly at: number;
  readonly leaseMs: number;
  readonly incarnation?: string;
}

/** A consumer's registry field; `undefined` where it has none that can be read. */
function registration(keys: MemoryKeyspace, who: Omit<OwnMessages, "ids">): Registration | undefined {
  const field = keys.hash(groupKey("consumers", who.stream, who.group)).get(who.consumer);
  if (field === undefined) return undefined;
  try {
    const decoded = JSON.parse(field) as Partial<Registration> | null;
    const { at, leaseMs } = decoded ?? {};
    return typeof at === "number" && typeof leaseMs === "number" ? { ...decoded, at, leaseMs } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(keys: MemoryKeyspace, registered: Registration | undefined): boolean {
  return registered !== undefined && keys.nowMs() - registered.at <= registered.leaseMs;
}

/** The same for a caller that has watched the heartbeat stay at `seenAtMs`, where it has. */
function isStillAlive(
  keys: MemoryKeyspace,
  registered: Registration | undefined,
  seenAtMs: number | null | undefined,
): boolean {
  if (registered !== undefined && typeof seenAtMs === "number") return registered.at !== seenAtMs;
  return isAlive(keys, registered);
}

export function addOnce(keys: MemoryKeyspace, options: AddOnceOptions): AddOnceResult {
  const key = idempotencyKey(options.stream, options.idempotencyKey);
  const known = keys.text(key);
  if (known !== undefined) return { id: known, added: false };
  const id = xadd(keys, options);
  keys.setText(key, id, keys.nowMs() + options.rememberMs);
  return { id, added: true };
}

/** Who holds a lease: not another, where it lasts ten times as long as what is asked for, as after a clock was set back. */
function leaseHolder(keys: MemoryKeyspace, key: string, me: string, askedMs: number): string | undefined {
  const holder = keys.text(key);
  const isBeyond = holder !== me && askedMs > 0 && keys.leftMs(key) > 10 * askedMs;
  return isBeyond ? undefined : holder;
}

export function holdLease(
  keys: MemoryKeyspace,
  { leaseKey, stateKey, holder, leaseMs, heardOf }: HoldLeaseOptions,
): LeaseAnswer {
  const known = leaseHolder(keys, leaseKey, holder, leaseMs);
  const isHeld = leaseMs > 0 && (known === undefined || known === holder);
  if (isHeld && stateKey !== null) {
    const term = Number(keys.hash(stateKey).get("term") ?? 0);
    if (known === undefined || term === 0) keys.setHashField(stateKey, "term", String(Math.max(term, heardOf) + 1));
  }
  if (isHeld) keys.setText(leaseKey, holder, keys.nowMs() + leaseMs);
  else if (leaseMs === 0 && known === holder) keys.delete(leaseKey);
  const kept = stateKey === null ? undefined : keys.hash(stateKey);
  return { isHeld, term: Number(kept?.get("term") ?? 0), state: kept?.get("state") ?? "" };
}

export function writeInTerm(keys: MemoryKeyspace, options: WriteInTermOptions): boolean {
  const { leaseKey, stateKey, logKey, holder, term, state, entry, logLength } = options;
  if (keys.text(leaseKey) !== holder || keys.hash(stateKey).get("term") !== String(term)) return false;
  keys.setHashField(stateKey, "state", state);
  if (entry !== null) {
    const trim = { strategy: "maxLen", threshold: logLength, approximate: true } as const;
    xadd(keys, { stream: logKey, fields: Object.entries(entry).flat(), trim });
  }
  return true;
}

export function holdPartition(keys: MemoryKeyspace, options: HoldPartitionOptions): Ownership {
  const { member, leaseMs, token: mine, heardOf } = options;
  const key = groupKey("owner", options.stream, options.group);
  const nowMs = keys.nowMs();
  const kept = keys.hash(key);
  let owner = kept.get("member") ?? "";
  let token = Number(kept.get("token") ?? 0);
  let untilMs = Number(kept.get("until") ?? 0);
  const isMine = mine !== null && owner === member && token === mine;
  const isFree = owner === "" || untilMs <= nowMs || untilMs - nowMs > 10 * leaseMs;
  const isHeld = leaseMs > 0 && (mine === null ? isFree : isMine);
  if (isHeld) {
    if (mine === null) token = Math.max(token + 1, heardOf + 1, nowMs);
    owner = member;
    untilMs = nowMs + leaseMs;
  } else if (isMine) {
    owner = "";
    untilMs = 0;
  }
  if (isHeld || owner === "") {
    for (const [field, value] of Object.entries({ member: owner, token, until: untilMs })) {
      keys.setHashField(key, field, String(value));
    }
  }
  return { isHeld, token, owner: owner === "" ? null : owner, leftMs: Math.max(untilMs - nowMs, 0) };
}

function isOwner(keys: MemoryKeyspace, { stream, group, member, token }: Omit<ReadOwnedOptions, "count">): boolean {
  const kept = keys.hash(groupKey("owner", stream, group));
  return (
    kept.get("member") === member && kept.get("token") === String(token) && Number(kept.get("until")) > keys.nowMs()
  );
}

export function readOwned(keys: MemoryKeyspace, options: ReadOwnedOptions): OwnedRead {
  if (!isOwner(keys, options)) return null;
  const group = keys.group(options);
  const entries = group.deliverNew(options.member, options.count, keys.nowMs()).map(copyOf);
  return { entries, position: entries.length > 0 ? null : group.lastDeliveredId };
}

export function adoptPending(keys: MemoryKeyspace, options: AdoptPendingOptions): AdoptedPage {
  if (!isOwner(keys, options)) return null;
  const { member, after, count } = options;
  const group = keys.group(options);
  const page = group
    .pending(keys.nowMs())
    .filter(({ id }) => after === null || compareEntryIds(id, after) > 0)
    .slice(0, count);
  const ids = page.filter(({ consumer }) => consumer !== member && consumer !== LATER).map(({ id }) => id);
  const adopted = claimOwn(keys, { ...options, consumer: member }, ids, (before) => before).length;
  return { adopted, next: page.length < count ? null : (page.at(-1)?.id ?? null) };
}

export function trimToSafePoint(keys: MemoryKeyspace, { stream, dryRun }: TrimToSafePointOptions): SafeTrim | null {
  const found = keys.existingStream(stream);
  let safe: Omit<SafeTrim, "dropped"> | undefined;
  for (const [pinnedBy, group] of found.groups) {
    const first = group.pending(keys.nowMs())[0]?.id ?? group.lastDeliveredId;
    const safeId = compareEntryIds(first, group.lastDeliveredId) < 0 ? first : group.lastDeliveredId;
    if (safe === undefined || compareEntryIds(safeId, safe.safeId) < 0) safe = { safeId, pinnedBy };
  }
  if (safe === undefined) return null;
  const trim = { strategy: "minId", threshold: safe.safeId, approximate: true } as const;
  return { ...safe, dropped: dryRun ? 0 : found.trim(trim) };
}
