import {
  type DefaultsOf,
  defaultsOf,
  type OptionsOf,
  OptionsReader,
  type PolicyOf,
  type WithRedis,
} from "@redis-batch/core/internal/options";
import { isLoopback } from "./decisions/access.ts";
import { DASHBOARD_SERVER_SPEC, DASHBOARD_SPEC } from "./spec.ts";

export interface DashboardOptions extends WithRedis, OptionsOf<typeof DASHBOARD_SPEC> {}
export interface DashboardServerOptions extends DashboardOptions, OptionsOf<typeof DASHBOARD_SERVER_SPEC> {}

/** The values of options that are not given. */
export const DASHBOARD_DEFAULTS: DefaultsOf<typeof DASHBOARD_SPEC & typeof DASHBOARD_SERVER_SPEC> = {
  ...defaultsOf(DASHBOARD_SPEC),
  ...defaultsOf(DASHBOARD_SERVER_SPEC),
};

// An attacker may try tokens for years. Tokens of this length cannot be guessed.
const SHORTEST_TOKEN = 16;

/** The options, complete and checked. */
export interface DashboardPolicy extends Omit<PolicyOf<typeof DASHBOARD_SPEC>, "hosts" | "mask" | "tokens" | "prefix"> {
  readonly hosts: readonly string[];
  readonly mask: readonly string[];
  readonly tokens: ReadonlyMap<string, string>;
  /** Without a slash at its end; `""`: none. */
  readonly prefix: string;
}

/**
 * Fills in and checks the options.
 *
 * @throws {ConfigError} naming every problem
 */
export function resolveDashboardOptions(options: DashboardOptions): DashboardPolicy {
  const reader = new OptionsReader("createDashboard", options, Object.keys(DASHBOARD_SPEC));
  return reader.finish(readPolicy(reader));
}

/** @throws {ConfigError} naming every problem */
export function resolveServerOptions(options: DashboardServerOptions): {
  readonly policy: DashboardPolicy;
  readonly host: string;
  readonly port: number;
} {
  const known = [...Object.keys(DASHBOARD_SPEC), ...Object.keys(DASHBOARD_SERVER_SPEC)];
  const reader = new OptionsReader("startDashboard", options, known);
  const { host, port } = reader.read(DASHBOARD_SERVER_SPEC);
  const read = readPolicy(reader);
  if (!isLoopback(host) && !asksWho(read)) {
    reader.problem("host is not only this machine: give tokens, or a userHeader, so that not everybody gets in");
  }
  return { policy: reader.finish(read), host, port };
}

function readPolicy(reader: OptionsReader): DashboardPolicy {
  const read = reader.read(DASHBOARD_SPEC, {
    hosts: (value) => expectTexts(value),
    mask: (value) => expectTexts(value),
    operators: (value) => expectTexts(value),
    tokens: expectTokens,
    userHeader: (value) => (/^[\w-]+$/.test(value) ? undefined : "be the name of a header"),
    prefix: (value) => (/^(\/[\w.~-]+)*\/?$/.test(value) ? undefined : "be a path such as /queues"),
  });
  const policy = {
    ...read,
    hosts: lowerCase(read.hosts),
    mask: lowerCase(read.mask),
    tokens: new Map(Object.entries(Object(read.tokens ?? {}) as Readonly<Record<string, string>>)),
    prefix: (read.prefix ?? "").replace(/\/$/, ""),
  };
  if (policy.hosts.length > 0 && !asksWho(policy)) {
    reader.problem("hosts needs tokens, or a userHeader, so that not everybody gets in");
  }
  if (policy.tokens.size > 0 && policy.userHeader !== undefined) {
    reader.problem("tokens and userHeader exclude each other; give one");
  }
  return policy;
}

/** Whether people have to say who they are. */
const asksWho = ({ tokens, userHeader }: Pick<DashboardPolicy, "tokens" | "userHeader">): boolean =>
  tokens.size > 0 || userHeader !== undefined;

/** Also of what is none, which is a problem of its own. */
const lowerCase = (texts: unknown): readonly string[] =>
  Array.isArray(texts) ? texts.map((text) => String(text).toLowerCase()) : [];

function expectTexts(value: unknown): string | undefined {
  return Array.isArray(value) && value.every((one) => typeof one === "string" && one !== "")
    ? undefined
    : "be a list of texts";
}

/** Says nothing of the tokens themselves. */
function expectTokens(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value) || Object.keys(value).length === 0) {
    return "be an object: names of people, each with a token";
  }
  const tokens: unknown[] = Object.values(value);
  if (
    !tokens.every(
      (token) => typeof token === "string" && /^[\x21-\x7e]+$/.test(token) && token.length >= SHORTEST_TOKEN,
    )
  ) {
    return `have tokens of at least ${SHORTEST_TOKEN} characters, printable ASCII without spaces`;
  }
  return new Set(tokens).size === tokens.length ? undefined : "have a different token for each name";
}
