/**
 * Why no connection can be made, found out by asking. ioredis keeps to itself what went wrong at a Sentinel or a node of a
 * Cluster. And no error says that only one of the two sides speaks TLS.
 */
import type { RedisOptions, SentinelAddress } from "ioredis";
import { ConfigError, PermissionError, type RedisBatchError, type Refusal } from "../errors/errors.ts";
import { messageOf } from "../errors/thrown.ts";
import { decodeArray, decodeText } from "../wire/reply.ts";
import { startupNodesOf } from "./ioredis-internals/client-state.ts";
import { refusedCommand } from "./ioredis-internals/error-details.ts";
import { type Finding, isOtherProtocol, probe, tlsRefusal } from "./probe.ts";
import type { RedisClient } from "./redis-client.ts";
import { type Ask, describePlace, masterNames, type ServerKind, wrongKind } from "./server-kind.ts";
import { adviseOnTls } from "./tls-advice.ts";
import { translateError } from "./translate-error.ts";

/** What is wrong at one address. */
interface Fault {
  readonly words: string;
  /** A change of the options, or of the server, is needed · the server refuses user, password or command · may pass. */
  readonly kind: "config" | Refusal | "passing";
}

/** The error that cannot pass, or the reason of one that can. */
export type Diagnosis = RedisBatchError | string;

/** Whether this failure needs one: its own words do not tell the cause. */
export function isUnclear(client: RedisClient, error: unknown): boolean {
  const refused = refusedCommand(error);
  // Only a single server has several databases.
  if (refused !== undefined) return refused.name === "select";
  return client.isCluster || isBySentinel(client) || !CLEAR.test(`${String(codeOf(error))} ${messageOf(error)}`);
}

const CLEAR = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT|EACCES|CERT_|certificate|alert/;

/** Whether this client speaks TLS to somebody, who may never answer that. */
export function usesTls({ options }: RedisClient): boolean {
  const { tls, sentinelTLS, redisOptions } = options as RedisOptions & { readonly redisOptions?: RedisOptions };
  return [tls, sentinelTLS, redisOptions?.tls].some((settings) => settings !== undefined && settings !== null);
}

/** `undefined` if nothing more was found out. */
export async function diagnose(client: RedisClient, signal: AbortSignal): Promise<Diagnosis | undefined> {
  const options = client.options as RedisOptions;
  if (client.isCluster) {
    const perNode = client.options.redisOptions as RedisOptions;
    const seeds = startupNodesOf(client).map((seed) => ({ ...perNode, ...seed }));
    return judge(
      await Promise.all(seeds.map((seed) => nodeFault(seed, signal))),
      "no node of the cluster can be reached",
    );
  }
  if (!isBySentinel(client)) return judge([await serverFault(options, signal)], "");
  const sentinels = (options.sentinels ?? []).map((sentinel: Partial<SentinelAddress>) =>
    sentinelOptions(options, sentinel),
  );
  const faults = await Promise.all(sentinels.map((sentinel) => sentinelFault(sentinel, options, signal)));
  return judge(faults, "All sentinels are unreachable");
}

function isBySentinel({ options }: RedisClient): boolean {
  return options.sentinels !== undefined && options.sentinels !== null;
}

/** It is hopeless only if it is so at each address. */
function judge(faults: readonly (Fault | undefined)[], summary: string): Diagnosis | undefined {
  const known = faults.filter((fault) => fault !== undefined);
  const words = [...new Set(known.map((fault) => fault.words))];
  const [first] = known;
  if (first === undefined) return undefined;
  if (known.length < faults.length || known.some(({ kind }) => kind === "passing")) {
    return [summary, words.join("; ")].filter((part) => part !== "").join(": ");
  }
  return first.kind === "config" || first.kind === "passing"
    ? new ConfigError("redis", words)
    : new PermissionError(`connect: ${words.join("; ")}`, { command: "connect", refusal: first.kind });
}

type Taken = "a single server" | "a node of a Cluster" | "a Sentinel";

const KINDS: Readonly<Record<Taken, ServerKind>> = {
  "a single server": "standalone",
  "a node of a Cluster": "cluster",
  "a Sentinel": "sentinel",
};

function serverFault(options: RedisOptions, signal: AbortSignal): Promise<Fault | undefined> {
  return look(options, signal, "a single server", async () => undefined);
}

function nodeFault(options: RedisOptions, signal: AbortSignal): Promise<Fault | undefined> {
  return look(options, signal, "a node of a Cluster", async (ask) => {
    await ask("cluster", "slots");
    return { kind: "passing", words: `${describePlace(options)} answers, but its cluster is not ready` };
  });
}

async function sentinelFault(
  options: RedisOptions,
  data: RedisOptions,
  signal: AbortSignal,
): Promise<Fault | undefined> {
  const { name = "", natMap, enableTLSForSentinelMode, tls, ...rest } = data;
  const found: RedisOptions[] = [];
  const fault = await look(options, signal, "a Sentinel", async (ask) => {
    const reply = await ask("sentinel", "get-master-addr-by-name", name);
    if (reply === null) {
      const names = await masterNames(ask);
      const known = names.length === 0 ? "" : `; it knows: ${names.join(", ")}`;
      return {
        kind: "config",
        words: `the Sentinel ${describePlace(options)} knows no master named "${name}"${known}`,
      };
    }
    const [host = "", port] = decodeArray(reply, "sentinel").map((part) => decodeText(part, "sentinel"));
    const withTls = enableTLSForSentinelMode === true && tls !== undefined ? { tls } : {};
    found.push({ ...rest, ...withTls, host, port: Number(port) });
    return undefined;
  });
  const [master] = found;
  // With natMap, clients reach it elsewhere.
  return master === undefined || natMap ? fault : serverFault(master, signal);
}

/** What is wrong with the server at an address that was taken for one of this kind; `then` asks more of the right kind. */
async function look(
  options: RedisOptions,
  signal: AbortSignal,
  taken: Taken,
  then: (ask: Ask) => Promise<Fault | undefined>,
): Promise<Fault | undefined> {
  const { fault, failed } = await probe(
    options,
    signal,
    async (finding, ask): Promise<{ readonly fault?: Fault | undefined; readonly failed?: Finding }> => {
      const { kind, error } = finding;
      if (kind === null && !isOnlySilent(finding)) return { failed: finding };
      if (kind !== null && kind !== KINDS[taken]) {
        return { fault: { kind: "config", words: await wrongKind(kind, taken, options, ask) } };
      }
      return then(ask).then(
        (answer) => ({ fault: answer }),
        (refusal: unknown) => ({ failed: { ...finding, error: refusal ?? error } }),
      );
    },
  );
  return failed === undefined ? fault : connectionFault(options, failed, taken, signal);
}

/** It does not know HELLO, and may be of any kind. */
function isOnlySilent({ isAnswered, error }: Finding): boolean {
  if (!isAnswered) return false;
  const refused = translateError(error, "hello");
  return !PermissionError.is(refused) || refused.refusal !== "credentials";
}

async function connectionFault(
  options: RedisOptions,
  failed: Finding,
  taken: Taken,
  signal: AbortSignal,
): Promise<Fault | undefined> {
  const place = `${taken === "a Sentinel" ? "the Sentinel " : ""}${describePlace(options)}`;
  if (failed.isAnswered || refusedCommand(failed.error) !== undefined) {
    const refused = translateError(failed.error, "connect");
    const login = taken === "a Sentinel" ? "; Sentinels have sentinelUsername and sentinelPassword" : "";
    return {
      kind: PermissionError.is(refused) ? refused.refusal : "passing",
      words: `${place}: ${refused.message.replace(/^connect: /, "")}${login}`,
    };
  }
  if (await isOtherProtocol(options, failed, signal))
    return { kind: "config", words: `${place} ${otherProtocol(options, taken)}` };
  const error = failed.isConnected && options.tls !== undefined ? await tlsRefusal(options, signal) : undefined;
  const advice = adviseOnTls(error ?? failed.error);
  const words = messageOf(error ?? failed.error);
  if (NO_REDIS.test(words)) return { kind: "passing", words: `what answers at ${place} is no Redis server` };
  // ioredis' own words for a single server tell as much.
  if (taken === "a single server" && error === undefined) return undefined;
  return { kind: "passing", words: `${place}: ${words}${advice === undefined ? "" : ` (${advice})`}` };
}

/** How ioredis 5 and 6 begin when they cannot read a reply. */
const NO_REDIS = /^(?:Protocol error|Unknown RESP type)/;

function otherProtocol({ tls }: RedisOptions, taken: Taken): string {
  if (taken === "a Sentinel") {
    return tls === undefined
      ? "speaks TLS, and this connection does not: add sentinelTls=true to the URL, or set the option sentinelTLS"
      : "does not speak TLS, and this connection does: add sentinelTls=false to the URL, or leave out the option sentinelTLS";
  }
  return tls === undefined
    ? 'speaks TLS, and this connection does not: begin the URL with "rediss", or set the option tls'
    : 'does not speak TLS, and this connection does: begin the URL with "redis", not "rediss", or leave out the option tls';
}

/** The settings of ioredis for its connections to a Sentinel. */
function sentinelOptions(
  options: RedisOptions,
  { host, port = 26_379, family }: Partial<SentinelAddress>,
): RedisOptions {
  const { sentinelUsername, sentinelPassword, sentinelTLS } = options;
  const ofFamily = family ?? options.family;
  return {
    ...{ host: host ?? "localhost", port },
    ...(ofFamily === undefined ? {} : { family: ofFamily }),
    ...(sentinelUsername ? { username: sentinelUsername } : {}),
    ...(sentinelPassword ? { password: sentinelPassword } : {}),
    ...(sentinelTLS === undefined ? {} : { tls: sentinelTLS }),
  };
}

function codeOf(error: unknown): unknown {
  return (Object(error) as { readonly code?: unknown }).code;
}
