const UNITS = [
  { name: "d", ms: 86_400_000 },
  { name: "h", ms: 3_600_000 },
  { name: "min", ms: 60_000 },
  { name: "s", ms: 1_000 },
] as const;

/** A duration for a reason: in the largest unit of which it has at least two, rounded down. */
export function describeDuration(ms: number): string {
  const unit = UNITS.find((candidate) => ms >= 2 * candidate.ms);
  return unit === undefined ? `${Math.max(Math.floor(ms), 0)} ms` : `${Math.floor(ms / unit.ms)} ${unit.name}`;
}
