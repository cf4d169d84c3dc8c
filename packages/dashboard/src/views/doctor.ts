/** What is wrong with the server. */
import type { StreamClient } from "@redis-batch/core/internal/connection";
import {
  diagnoseMissingCommands,
  examineServer,
  type Finding,
  findMissingCommands,
} from "@redis-batch/core/internal/diagnosis";
import { systemClock } from "@redis-batch/core/internal/service";

// It asks a few dozen questions; their answers change seldom.
const FRESH_MS = 15_000;

/** Examines the server when somebody asks, but not more often than four times a minute, for however many people. */
export function createDoctor(client: StreamClient): () => Promise<readonly Finding[]> {
  let last: { readonly atMs: number; readonly findings: Promise<readonly Finding[]> } | undefined;
  return () => {
    const nowMs = systemClock.nowMs();
    if (last === undefined || nowMs - last.atMs > FRESH_MS) {
      const findings = examine(client);
      last = { atMs: nowMs, findings };
      findings.catch(() => {
        last = undefined;
      });
    }
    return last.findings;
  };
}

async function examine(client: StreamClient): Promise<readonly Finding[]> {
  const [server, missing] = await Promise.all([examineServer(client), findMissingCommands(client)]);
  return [...server, ...diagnoseMissingCommands(missing)];
}
