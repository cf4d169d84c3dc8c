/** Where Redis is, and how long a message stays with a process that has died. */
export const settings = {
  redis: process.env["REDIS_URL"] ?? "redis://localhost:6379",
  leaseMs: Number(process.env["LEASE_MS"] ?? 60_000),
};
