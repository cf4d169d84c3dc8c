/**
 * Decides which member of a group owns which partition. Every member decides for itself, from the heartbeats of all of them,
 * and reaches the same result. If two of them briefly see different heartbeats, the owner that is written down on the server counts.
 *
 * All members get the same number of partitions, give or take one. Within that limit an owner keeps what it has, so that only
 * the partitions that have to move are stopped.
 */

/** A consumer of the group that can work. */
export interface Member {
  readonly name: string;
  /** The partitions that it owns, as its heartbeat says. */
  readonly owns: readonly number[];
  /** Whether it has only just joined: it gets partitions without an owner, but none from other members yet. */
  readonly isNew: boolean;
}

/** The name of the member that should own each partition. Empty without members. */
export function decideAssignment(members: readonly Member[], partitions: number): ReadonlyMap<number, string> {
  const byName = members.toSorted((left, right) => compareText(left.name, right.name));
  const settled = byName.filter(({ isNew, owns }) => !isNew || owns.length > 0);
  const keepers = settled.length > 0 ? settled : byName;
  const assigned = new Map<number, string>();
  const counts = new Map<string, number>();
  const give = (partition: number, name: string): void => {
    assigned.set(partition, name);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  };

  const own = ownedOnce(keepers, partitions);
  for (const [name, quota] of quotas(own, partitions)) {
    for (const partition of (own.get(name) ?? []).slice(0, quota)) give(partition, name);
  }
  const owned = new Set([...own.values()].flat());
  for (let partition = 0; partition < partitions; partition++) {
    if (assigned.has(partition)) continue;
    // A new member gets only partitions without an owner: those that move go to members that have been here for a while.
    const takers = owned.has(partition) ? keepers : byName;
    const fewest = takers.toSorted((left, right) => (counts.get(left.name) ?? 0) - (counts.get(right.name) ?? 0))[0];
    if (fewest !== undefined) give(partition, fewest.name);
  }
  return assigned;
}

/** The partitions of each member, ascending. If two members both say that they own one, it counts for the first. */
function ownedOnce(members: readonly Member[], partitions: number): ReadonlyMap<string, readonly number[]> {
  const seen = new Set<number>();
  return new Map(
    members.map(({ name, owns }) => {
      const some = [...new Set(owns)].filter((partition) => partition < partitions && !seen.has(partition));
      for (const partition of some) seen.add(partition);
      return [name, some.toSorted((left, right) => left - right)];
    }),
  );
}

/** How many partitions each member may keep. If they cannot all have the same number, those with the most keep one more. */
function quotas(own: ReadonlyMap<string, readonly number[]>, partitions: number): ReadonlyMap<string, number> {
  const least = Math.floor(partitions / own.size);
  const withMore = partitions % own.size;
  const byCount = [...own].toSorted(([, left], [, right]) => right.length - left.length);
  return new Map(byCount.map(([name], place) => [name, place < withMore ? least + 1 : least]));
}

// Not by locale: all members must agree.
const compareText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

export interface Moves {
  /** Partitions to take: nobody owns them, and they should be this member's. */
  readonly take: readonly number[];
  /** Partitions to give up, because another member should have them. */
  readonly giveUp: readonly number[];
}

/**
 * What this member has to do now.
 *
 * @param me this member, among `members` or not: it gives up everything where others can work and it cannot
 * @param owns the partitions that it owns
 * @param overdue partitions that nobody has taken for long, though somebody should have: perhaps it cannot, so anybody may
 */
export function decideMoves(
  me: string,
  owns: readonly number[],
  members: readonly Member[],
  partitions: number,
  overdue: ReadonlySet<number>,
): Moves {
  // With nobody to go to, a partition is better off where it is.
  if (members.length === 0) return { take: [], giveUp: [] };
  const assigned = decideAssignment(members, partitions);
  const taken = new Set(members.flatMap((member) => member.owns));
  const isMember = members.some(({ name }) => name === me);
  const isMine = (partition: number): boolean => assigned.get(partition) === me || (isMember && overdue.has(partition));
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  return {
    take: all.filter((partition) => !taken.has(partition) && !owns.includes(partition) && isMine(partition)),
    giveUp: owns.filter((partition) => assigned.get(partition) !== me),
  };
}
