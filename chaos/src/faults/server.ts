/** What may happen to the server, and to every connection at once. */
import type { RedisServer } from "@redis-batch/test-support";
import { journalNowMs } from "../journal.ts";
import { type Fault, OBSERVED, observedIf, SKIPPED } from "./fault.ts";
import { lasting } from "./lasting.ts";
import { pingMs } from "./probe.ts";

const SILENCE_MS = 50;

/** The server closes every client's connection, producers included. */
export const clientKill: Fault = {
  target: "server",
  async strike({ server }) {
    return Number(await server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")) > 0 ? OBSERVED : SKIPPED;
  },
};

/** The server answers nobody for a while. */
export const clientPause: Fault = {
  target: "server",
  async strike({ server, over, away }, _place, { forMs }) {
    const fromMs = journalNowMs();
    await server.command("CLIENT", "PAUSE", forMs, "ALL");
    const askedAtMs = journalNowMs();
    const [tookMs] = await Promise.all([silence(server, forMs), lasting(forMs, over)]);
    // Once the time is over it ends by itself; earlier only by a command that is not paused.
    await server.command("CLIENT", "UNPAUSE");
    away(fromMs, journalNowMs(), "client pause");
    // On a busy machine the question may have come when the time was over.
    const isTooLate = tookMs !== undefined && askedAtMs + tookMs >= fromMs + forMs;
    return isTooLate ? SKIPPED : observedIf(tookMs === undefined, "the server answered");
  },
};

/** kill -9, and a restart from what is on disk (AOF, every write before its reply). */
export const serverKill: Fault = {
  target: "server",
  async strike({ server, over, away }, _place, { forMs }) {
    const before = await runIdOf(server);
    const fromMs = journalNowMs();
    await server.kill();
    await lasting(forMs, over);
    await server.restart();
    away(fromMs, journalNowMs(), "server killed");
    return observedIf((await runIdOf(server)) !== before, "the server did not restart");
  },
};

/** SIGSTOP and SIGCONT. */
export const serverFreeze: Fault = {
  target: "server",
  async strike({ server, over, away }, _place, { forMs }) {
    const fromMs = journalNowMs();
    await server.freeze();
    const [tookMs] = await Promise.all([silence(server, forMs), lasting(forMs, over)]);
    await server.thaw();
    away(fromMs, journalNowMs(), "server frozen");
    return observedIf(tookMs === undefined, "the server answered");
  },
};

/** The server forgets every Lua script. */
export const scriptFlush: Fault = {
  target: "server",
  async strike({ server }) {
    const sha = String(await server.command("SCRIPT", "LOAD", "return 'forget me'"));
    await server.command("SCRIPT", "FLUSH");
    const [isKnown] = (await server.command("SCRIPT", "EXISTS", sha)) as [number];
    return observedIf(isKnown === 0, "the server has not forgotten its scripts");
  },
};

export async function runIdOf(server: RedisServer): Promise<string | undefined> {
  return (await server.info("server"))["run_id"];
}

function silence(server: RedisServer, forMs: number): Promise<number | undefined> {
  return pingMs(server, Math.max(SILENCE_MS, forMs / 2));
}
