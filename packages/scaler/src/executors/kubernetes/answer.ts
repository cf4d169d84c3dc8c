/** What the API server's answers mean. */
import {
  CommandError,
  PermissionError,
  type RedisBatchError,
  ReplyShapeError,
  ServerStateError,
} from "@redis-batch/core/internal";

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

/** What was asked for, as it is called in errors and in roles. */
export interface Question {
  readonly verb: "get" | "patch";
  /** Such as `deployments/scale`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

/** A workload's scale, as far as it matters. */
export interface Scale {
  readonly resourceVersion: string;
  /** How many there shall be. */
  readonly replicas: number;
}

/**
 * The scale an answer tells.
 *
 * @throws {ReplyShapeError} when it tells something else
 */
export function parseScale(body: string, question: Question): Scale {
  const { kind, metadata, spec } = objectOf(parseJson(body));
  const { resourceVersion } = objectOf(metadata);
  // Absent when it is zero: the server leaves out what is empty.
  const { replicas = 0 } = objectOf(spec);
  const isCount = typeof replicas === "number" && Number.isSafeInteger(replicas) && replicas >= 0;
  if (kind !== "Scale" || typeof resourceVersion !== "string" || !isCount) {
    throw new ReplyShapeError(`${subject(question)} was answered by something that is no Scale`);
  }
  return { resourceVersion, replicas };
}

/** The error that an answer is, and what to do about it. */
export function refusalOf({ status, body }: Answer, question: Question): RedisBatchError {
  const said = quote(body);
  const { verb, resource, namespace, name } = question;
  const command = `${verb} ${resource}`;
  if (status === 401) {
    return new PermissionError(
      `${subject(question)}: the API server does not know who asks${said}: check that the token or certificate is of this cluster and has not expired`,
      { command },
    );
  }
  if (status === 403) {
    return new PermissionError(
      `${subject(question)} is forbidden${said}: the role needs the verbs get and patch on ${resource} with the name ${name}, bound to the service account in ${namespace}`,
      { command },
    );
  }
  if (status === 404) {
    return new CommandError(
      `${subject(question)}: there is no such thing${said}: check its name and namespace, and that its kind can be scaled`,
      { command, reply: "NotFound" },
    );
  }
  if (status === 409) {
    return new ServerStateError(`${subject(question)}: it was changed in between${said}`, { state: "Conflict" });
  }
  if (status === 429 || status >= 500) {
    return new ServerStateError(
      `${subject(question)}: the API server refuses for now, with ${status}${said}: it is asked again, later`,
      { state: String(status) },
    );
  }
  return new CommandError(`${subject(question)} was refused with ${status}${said}`, { command, reply: String(status) });
}

/** How long the server wants to be left alone, in milliseconds; `null`: it does not say. The form with a date is not used. */
export function parseRetryAfter(value: string | undefined): number | null {
  return value !== undefined && /^\d{1,6}$/.test(value) ? Number(value) * 1_000 : null;
}

export function subject({ verb, resource, namespace, name }: Question): string {
  return `${verb} ${resource} ${namespace}/${name}`;
}

const LONGEST_QUOTE = 300;

/** The words of a `Status`. Nothing else is quoted: who knows what a proxy in between may say. */
function quote(body: string): string {
  const { kind, message } = objectOf(parseJson(body));
  if (kind !== "Status" || typeof message !== "string" || message === "") return "";
  return ` ("${message.slice(0, LONGEST_QUOTE).replaceAll(/\p{Cc}+/gu, " ")}")`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
