/** Who is here, and what they may do. */
import { signal } from "@preact/signals";
import type { SessionInfo } from "../../src/gate.ts";
import { ask } from "./api.ts";
import { startWatching, stopWatching } from "./live.ts";

export const session = signal<SessionInfo | null>(null);
export const sessionTrouble = signal<string | null>(null);

const AGAIN_MS = 2_000;

export async function loadSession(): Promise<void> {
  try {
    session.value = await ask<SessionInfo>("session");
    sessionTrouble.value = null;
    if (session.value.user === null) stopWatching();
    else startWatching(() => void loadSession());
  } catch (error) {
    sessionTrouble.value = error instanceof Error ? error.message : String(error);
    setTimeout(() => void loadSession(), AGAIN_MS);
  }
}

export async function signIn(token: string): Promise<void> {
  await ask("session", { method: "POST", body: { token } });
  await loadSession();
}

export async function signOut(): Promise<void> {
  await ask("session", { method: "DELETE" });
  stopWatching();
  await loadSession();
}
