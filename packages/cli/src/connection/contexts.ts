/** The saved connections: one JSON file, readable by its owner only, with no password in it. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { ConfigError } from "@redis-batch/core";
import { OptionsReader } from "@redis-batch/core/internal/options";
import { pause, systemClock } from "@redis-batch/core/internal/service";
import { Failure } from "../failure.ts";

export interface SavedContext {
  readonly name: string;
  readonly url?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly passwordEnv?: string;
  readonly askPassword?: boolean;
  readonly sentinel?: string;
  readonly sentinelName?: string;
  readonly cluster?: boolean;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

export interface Contexts {
  /** The context that is used by default. */
  readonly current: string | undefined;
  readonly all: ReadonlyMap<string, SavedContext>;
}

type Env = Readonly<Record<string, string | undefined>>;

const TEXTS = [
  "url",
  "user",
  "passwordFile",
  "passwordEnv",
  "sentinel",
  "sentinelName",
  "tlsCa",
  "tlsCert",
  "tlsKey",
] as const;
const FLAGS = ["askPassword", "cluster"] as const;

// A change takes a few milliseconds.
const LONGEST_LOCK_MS = 3_000;
const POLL_LOCK_MS = 20;

/** `REDIS_BATCH_CONFIG`, or `redis-batch/config.json` where the system keeps such files. */
export function contextsPath(env: Env): string {
  const chosen = env["REDIS_BATCH_CONFIG"];
  if (chosen !== undefined && chosen !== "") return chosen;
  const home = env["XDG_CONFIG_HOME"] ?? "";
  return join(home === "" ? join(homedir(), ".config") : home, "redis-batch", "config.json");
}

/** @throws {Failure} when the file cannot be read or understood; a missing file has no contexts */
export function readContexts(path: string): Contexts {
  const text = readIfThere(path);
  if (text === undefined) return { current: undefined, all: new Map() };
  try {
    return parseContexts(text);
  } catch (error) {
    if (!ConfigError.is(error)) throw error;
    throw new Failure(
      "usage",
      `${path}: ${error.message}`,
      `fix the file, or delete it and start over with \`redis-batch context add\``,
    );
  }
}

/** @throws {ConfigError} naming every problem, but quoting nothing from the file */
export function parseContexts(text: string): Contexts {
  const reader = new OptionsReader("contexts", parseJson(text), ["$schema", "version", "current", "contexts"]);
  const file = parseJson(text) as Readonly<Record<string, unknown>>;
  if (file["version"] !== 1) reader.problem("version must be 1; a newer redis-batch may have written the file");
  const current = file["current"] === undefined ? undefined : reader.text("current");
  const listed = file["contexts"] ?? {};
  if (typeof listed !== "object" || listed === null || Array.isArray(listed))
    reader.problem("contexts must be an object");
  const all = new Map<string, SavedContext>();
  for (const [name, saved] of Object.entries(listed)) {
    const context = reader.collect(() => parseContext(name, saved), undefined);
    if (context !== undefined) all.set(name, context);
  }
  return reader.finish({ current, all });
}

/**
 * Changes the file in one step: no reader sees it half written, and two changes at the same time do not undo each other.
 * The new file is also the lock, until it replaces the old one.
 *
 * @throws {Failure} when the file cannot be read, understood or written, or is locked for longer than any change takes
 */
export async function changeContexts(path: string, change: (contexts: Contexts) => Contexts): Promise<void> {
  const target = behindLinks(path);
  const draft = `${target}.lock`;
  const file = await createDraft(draft, path);
  // From here on nothing is asynchronous, so only a crash leaves the draft behind.
  try {
    writeSync(file, encodeContexts(change(readContexts(path))));
    fsyncSync(file);
    renameSync(draft, target);
  } catch (error) {
    unlinkSync(draft);
    throw asFailure(error, path);
  } finally {
    closeSync(file);
  }
}

async function createDraft(draft: string, path: string): Promise<number> {
  const endsAtMs = systemClock.nowMs() + LONGEST_LOCK_MS;
  for (;;) {
    try {
      mkdirSync(dirname(draft), { recursive: true, mode: 0o700 });
      return openSync(draft, "wx", 0o600);
    } catch (error) {
      const isLocked =
        error instanceof Error && "syscall" in error && error.syscall === "open" && isCode(error, "EEXIST");
      if (!isLocked) throw asFailure(error, path);
    }
    if (systemClock.nowMs() > endsAtMs) {
      throw new Failure(
        "refused",
        `${path} was not changed: another process is changing it`,
        `if there is none, an earlier one was killed before it had finished: delete ${draft}`,
      );
    }
    await pause(systemClock, POLL_LOCK_MS);
  }
}

function behindLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // Not there yet.
    return path;
  }
}

function encodeContexts({ current, all }: Contexts): string {
  const contexts = Object.fromEntries([...all].map(([name, { name: _name, ...saved }]) => [name, saved]));
  const file = { version: 1, ...(current === undefined ? {} : { current }), contexts };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

function asFailure(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !("syscall" in error)) return error;
  return new Failure("usage", `${path} cannot be written: ${error.message}`, "REDIS_BATCH_CONFIG names another file");
}

/** The selected context: the named one, or the current one. */
export function chooseContext(contexts: Contexts, named: string | undefined): SavedContext | undefined {
  const name = named ?? contexts.current;
  if (name === undefined) return undefined;
  const found = contexts.all.get(name);
  if (found !== undefined) return found;
  const known = [...contexts.all.keys()].join(", ");
  throw new Failure(
    "missing",
    `there is no context "${name}"`,
    known === "" ? "`redis-batch context add` saves one" : `the contexts are: ${known}`,
  );
}

function parseContext(name: string, saved: unknown): SavedContext {
  const reader = new OptionsReader(`context ${JSON.stringify(name)}`, saved, [...TEXTS, ...FLAGS]);
  const context: Record<string, string | boolean> = {};
  for (const key of TEXTS) if (reader.has(key)) context[key] = reader.text(key);
  for (const key of FLAGS) if (reader.has(key)) context[key] = reader.flag(key, false);
  return reader.finish({ name, ...context });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigError("contexts", ["the file is not JSON"]);
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isCode(error, "ENOENT") || isCode(error, "ENOTDIR")) return undefined;
    throw new Failure("usage", `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;
