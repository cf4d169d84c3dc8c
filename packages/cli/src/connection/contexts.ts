/** The saved connections: one JSON file, readable by its owner only, with no password in it. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { ConfigError, OptionsReader } from "@redis-batch/core/internal";
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
  /** The one that is used when nothing else is said. */
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

/** `REDIS_BATCH_CONFIG`, or `redis-batch/config.json` where the system keeps such files. */
export function contextsPath(env: Env): string {
  const chosen = env["REDIS_BATCH_CONFIG"];
  if (chosen !== undefined && chosen !== "") return chosen;
  const home = env["XDG_CONFIG_HOME"] ?? "";
  return join(home === "" ? join(homedir(), ".config") : home, "redis-batch", "config.json");
}

/** @throws {Failure} when the file cannot be read or understood; a file that is not there holds no contexts */
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
      `mend the file, or remove it and begin anew with \`redis-batch context add\``,
    );
  }
}

/** @throws {ConfigError} naming every problem, and quoting nothing of the file */
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

/** Writes the file anew, in one step, so that one that is being read is never half written. */
export function writeContexts(path: string, { current, all }: Contexts): void {
  const contexts = Object.fromEntries([...all].map(([name, { name: _name, ...saved }]) => [name, saved]));
  const text = JSON.stringify({ version: 1, ...(current === undefined ? {} : { current }), contexts }, undefined, 2);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${text}\n`, { mode: 0o600 });
  renameSync(draft, path);
}

/** The context that is meant: the one named, or the current one. */
export function chooseContext(contexts: Contexts, named: string | undefined): SavedContext | undefined {
  const name = named ?? contexts.current;
  if (name === undefined) return undefined;
  const found = contexts.all.get(name);
  if (found !== undefined) return found;
  const known = [...contexts.all.keys()].join(", ");
  throw new Failure(
    "missing",
    `there is no context "${name}"`,
    known === "" ? "`redis-batch context add` makes one" : `there are: ${known}`,
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
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return undefined;
    throw new Failure("usage", `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
