import type { ServerSource } from "../servers/find-server.ts";

/** What a test needs of its server. */
export type ServerNeed =
  /** Any server that answers. */
  | "any"
  /** An exclusive server, to be killed, restarted, frozen or inspected as a whole. */
  | "own"
  /** Several that talk to each other. */
  | "several";

/** Says why a source cannot give what a test needs; `undefined` when it can. */
export function whyUnfit(source: ServerSource, need: ServerNeed): string | undefined {
  if (need === "any") return undefined;
  if (source.kind === "external") return "needs servers of its own, and REDIS_BATCH_TEST_URL names a shared one";
  if (need === "several" && source.kind === "docker") return "needs redis-server or valkey-server on this machine";
  return undefined;
}
