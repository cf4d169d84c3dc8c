/** How connections log in: who is asked, when, and what of the answer is used. Nothing here ever quotes a secret. */
import type { ConnectionOptions } from "node:tls";
import { CredentialsError } from "../errors/errors.ts";
import { isError } from "../errors/thrown.ts";
import type { Clock } from "../service/clock.ts";
import { onAbort } from "../service/signals.ts";
import type { Login, LoginSource } from "./ioredis-internals/log-in.ts";
import { isLentClient, type ServerSource } from "./open-client.ts";

/** User, password and certificates of one connection. What you leave out is as in `redis`. */
export interface LoginCredentials {
  readonly username?: string | undefined;
  /** A password, or a token that stands for one. */
  readonly password?: string | undefined;
  /** `ca`, `cert`, `key` and other options of `node:tls`, over those of `redis`. */
  readonly tls?: ConnectionOptions | undefined;
}

/** What {@link CredentialsFunction} returns: at least one of them. */
export interface Credentials extends LoginCredentials {
  /** For the Sentinels themselves, which have users and certificates of their own. */
  readonly sentinel?: LoginCredentials | undefined;
}

/**
 * Returns the credentials that are valid now. It is called before each connection, and again after a refusal. It may be
 * asynchronous. Connections that ask at the same time share one call. If it throws, or does not answer within 20
 * seconds, this is reported as a {@link CredentialsError}, and it is called again after a pause.
 */
export type CredentialsFunction = () => Credentials | PromiseLike<Credentials>;

/** A function that never answers is called again after this time. */
const ANSWER_LIMIT_MS = 20_000;

/** For how long an answer stays usable that came when nobody was waiting for it any more. */
const UNCLAIMED_LIMIT_MS = 10_000;

interface Question {
  readonly answer: Promise<Credentials>;
  waiting: number;
  /** When it was answered, if nobody was waiting then. */
  unclaimedSinceMs: number | undefined;
}

/** The running call of each function: connections of all services in the process share it. */
const questions = new WeakMap<CredentialsFunction, Question>();

/** Creates what logs in the connections to a source, and to its Sentinels. */
export function createLoginSource(
  source: ServerSource,
  credentials: CredentialsFunction | undefined,
  clock: Clock,
): LoginSource {
  const answered = async (signal: AbortSignal): Promise<Credentials> =>
    credentials === undefined ? {} : ask(credentials, clock, signal);
  return {
    server: async (initial, signal) => {
      const given = await answered(signal);
      return merge(readNow(source, initial, SERVER_OPTIONS), given);
    },
    sentinel: async (initial, signal) => {
      const { sentinel = {} } = await answered(signal);
      return merge(readNow(source, initial, SENTINEL_OPTIONS), sentinel);
    },
  };
}

const SERVER_OPTIONS = ["username", "password", "tls"] as const;
const SENTINEL_OPTIONS = ["sentinelUsername", "sentinelPassword", "sentinelTLS"] as const;

/** Reads the options again: some are getters, and those of an existing client are its owner's to change. */
function readNow(
  source: ServerSource,
  initial: Login,
  [user, pass, certificates]: typeof SERVER_OPTIONS | typeof SENTINEL_OPTIONS,
): Login {
  if (typeof source === "string") return initial;
  try {
    const isCluster = isLentClient(source) && source.isCluster;
    const { options } = isLentClient(source) ? source : { options: source };
    const own = ((isCluster ? (options as { redisOptions?: object }).redisOptions : options) ?? {}) as Readonly<
      Record<string, unknown>
    >;
    const [username, password, tls] = [textIn(own[user]), textIn(own[pass]), own[certificates]];
    return {
      // The nodes of a Cluster may be given with passwords of their own.
      username: username ?? (isCluster ? initial.username : undefined),
      password: password ?? (isCluster ? initial.password : undefined),
      // ioredis has replaced the name of a profile by its certificates.
      tls: typeof tls === "object" && tls !== null && !("profile" in tls) ? tls : initial.tls,
    };
  } catch (thrown) {
    throw new CredentialsError(`the options of \`redis\` could not be read: ${kindOf(thrown)}`);
  }
}

function textIn(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function merge(own: Login, given: LoginCredentials): Login {
  return {
    username: given.username ?? own.username,
    password: given.password ?? own.password,
    tls: given.tls === undefined ? own.tls : { ...own.tls, ...given.tls },
  };
}

async function ask(credentials: CredentialsFunction, clock: Clock, signal: AbortSignal): Promise<Credentials> {
  const question = runningQuestion(credentials, clock);
  question.waiting++;
  let cancelTimer = (): void => {};
  let stopListening = (): void => {};
  const givenUp = new Promise<never>((_, reject) => {
    stopListening = onAbort(signal, () => reject(new Error("the connection was closed before the credentials came")));
    cancelTimer = clock.setTimer(ANSWER_LIMIT_MS, () => {
      forget(credentials, question);
      reject(new CredentialsError(`the function has not answered within ${ANSWER_LIMIT_MS} ms`));
    });
  });
  try {
    return await Promise.race([question.answer, givenUp]);
  } finally {
    cancelTimer();
    stopListening();
    question.waiting--;
  }
}

function runningQuestion(credentials: CredentialsFunction, clock: Clock): Question {
  const known = questions.get(credentials);
  if (known !== undefined && known.unclaimedSinceMs === undefined) return known;
  if (known?.unclaimedSinceMs !== undefined) {
    questions.delete(credentials);
    // A connection gave up waiting, as a Cluster does after a second. Asking again would take as long again.
    if (clock.nowMs() - known.unclaimedSinceMs < UNCLAIMED_LIMIT_MS) return known;
  }
  const question: Question = { answer: call(credentials), waiting: 0, unclaimedSinceMs: undefined };
  questions.set(credentials, question);
  const keepUnclaimed = (): void => {
    if (question.waiting > 0) forget(credentials, question);
    else question.unclaimedSinceMs = clock.nowMs();
  };
  question.answer.then(keepUnclaimed, () => forget(credentials, question));
  return question;
}

function forget(credentials: CredentialsFunction, question: Question): void {
  if (questions.get(credentials) === question) questions.delete(credentials);
}

async function call(credentials: CredentialsFunction): Promise<Credentials> {
  let answer: unknown;
  try {
    answer = await credentials();
  } catch (thrown) {
    throw new CredentialsError(`the function failed: ${kindOf(thrown)}`);
  }
  return check(answer);
}

/** Only what kind of error it was: its message may contain the secret. */
function kindOf(thrown: unknown): string {
  const advice = "(the message is left out, because it may contain a secret: log it in the function itself)";
  try {
    if (!isError(thrown)) return `a value was thrown that is not an error, but of type ${typeof thrown} ${advice}`;
    const { name, code } = thrown as Error & { readonly code?: unknown };
    const words = [name, code].filter((word) => typeof word === "string" && /^\w{1,60}$/.test(word));
    return `${words.join(" ")} ${advice}`;
  } catch {
    return `an error that cannot be read ${advice}`;
  }
}

/** A copy of the answer: it may change, and reading it may throw. */
function check(answer: unknown): Credentials {
  const problems: string[] = [];
  let checked: Credentials = {};
  try {
    checked = readAnswer(answer, "", problems);
  } catch (thrown) {
    problems.push(`it cannot be read: ${kindOf(thrown)}`);
  }
  const { username, password, tls, sentinel } = checked;
  const isEmpty = [username, password, tls, sentinel].every((part) => part === undefined);
  if (isEmpty && problems.length === 0) problems.push("it has no username, password, tls or sentinel");
  if (problems.length > 0) throw new CredentialsError(`the function's answer cannot be used: ${problems.join("; ")}`);
  return checked;
}

function readAnswer(answer: unknown, of: string, problems: string[]): Credentials {
  if (typeof answer !== "object" || answer === null || Array.isArray(answer)) {
    problems.push(`${of === "" ? "it" : of} must be an object, but is ${kindOfValue(answer)}`);
    return {};
  }
  const { username, password, tls, sentinel } = answer as Readonly<Record<string, unknown>>;
  for (const [name, value] of Object.entries({ username, password })) {
    if (isAbsent(value) || (typeof value === "string" && value !== "")) continue;
    problems.push(`${of}${name} must be text, but is ${value === "" ? "empty" : kindOfValue(value)}`);
  }
  if (!isAbsent(tls) && typeof tls !== "object")
    problems.push(`${of}tls must be an object, but is ${kindOfValue(tls)}`);
  return {
    ...(typeof username === "string" ? { username } : {}),
    ...(typeof password === "string" ? { password } : {}),
    ...(typeof tls === "object" && tls !== null ? { tls: { ...tls } } : {}),
    ...(of !== "" || isAbsent(sentinel) ? {} : { sentinel: readAnswer(sentinel, "sentinel.", problems) }),
  };
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

function kindOfValue(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "an array" : `of type ${typeof value}`;
}
