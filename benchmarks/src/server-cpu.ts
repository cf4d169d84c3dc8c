import type { RedisServer } from "@redis-batch/test-support";

/** User and system time the server has used so far, in milliseconds, by its own account. */
export async function serverCpuMs(server: RedisServer): Promise<number> {
  const info = String(await server.command("INFO", "cpu"));
  const seconds = ["used_cpu_user", "used_cpu_sys"].map((name) =>
    Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(info)?.[1] ?? Number.NaN),
  );
  return seconds.reduce((sum, part) => sum + part) * 1_000;
}
