/** What may happen to the server, and to every connection at once. */
import { journalNowMs } from "../journal.ts";
import type { Fault } from "./fault.ts";
import { lasting } from "./lasting.ts";

/** The server closes every client's connection, producers included. */
export const clientKill: Fault = {
  target: "server",
  async strike({ server }) {
    return Number(await server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")) > 0;
  },
};

/** The server answers nobody for a while. */
export const clientPause: Fault = {
  target: "server",
  async strike({ server, over, away }, _place, { forMs }) {
    const fromMs = journalNowMs();
    await server.command("CLIENT", "PAUSE", forMs, "ALL");
    await lasting(forMs, over);
    // Once the time is over it ends by itself; earlier only by a command that is not paused.
    await server.command("CLIENT", "UNPAUSE");
    away(fromMs, journalNowMs(), "client pause");
    return true;
  },
};

/** kill -9, and a restart from what is on disk (AOF, every write before its reply). */
export const serverKill: Fault = {
  target: "server",
  async strike({ server, over, away }, _place, { forMs }) {
    const fromMs = journalNowMs();
    await server.kill();
    await lasting(forMs, over);
    await server.restart();
    away(fromMs, journalNowMs(), "server killed");
    return true;
  },
};

/** SIGSTOP and SIGCONT. */
export const serverFreeze: Fault = {
  target: "server",
  async strike({ server, over, away }, _place, { forMs }) {
    const fromMs = journalNowMs();
    await server.freeze();
    await lasting(forMs, over);
    await server.thaw();
    away(fromMs, journalNowMs(), "server frozen");
    return true;
  },
};

/** The server forgets every Lua script. */
export const scriptFlush: Fault = {
  target: "server",
  async strike({ server }) {
    await server.command("SCRIPT", "FLUSH");
    return true;
  },
};
