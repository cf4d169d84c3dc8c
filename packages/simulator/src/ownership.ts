/** Which consumer owns which partition: as even as it can be, with as few moves as that takes. */

/**
 * Assigns partitions to members.
 *
 * @param owners who owns each partition, by its number; `null`: nobody
 * @returns who should own each. Members without one have nothing to do; without members nobody owns anything.
 */
export function assignPartitions<Member>(
  owners: readonly (Member | null)[],
  members: readonly Member[],
): readonly (Member | null)[] {
  if (members.length === 0) return owners.map(() => null);
  const least = Math.floor(owners.length / members.length);
  let larger = owners.length % members.length;
  const owned = new Map(members.map((member) => [member, 0]));
  const assigned: (Member | null)[] = owners.map((owner) => {
    const count = owner === null ? undefined : owned.get(owner);
    if (owner === null || count === undefined) return null;
    // One more than the others may have, while there are such shares left.
    if (count > least || (count === least && larger === 0)) return null;
    if (count === least) larger--;
    owned.set(owner, count + 1);
    return owner;
  });
  return assigned.map((owner) => {
    if (owner !== null) return owner;
    const [first] = [...owned].toSorted(([, left], [, right]) => left - right)[0] as [Member, number];
    owned.set(first, (owned.get(first) ?? 0) + 1);
    return first;
  });
}
