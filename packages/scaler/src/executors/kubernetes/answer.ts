/** Interprets the API server's answers. */
import {
  CommandError,
  PermissionError,
  type RedisBatchError,
  ReplyShapeError,
  ServerStateError,
} from "@redis-batch/core";

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

/** The requested resource, as errors and roles name it. */
export interface Question {
  readonly verb: "get" | "patch";
  /** Such as `deployments/scale`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

/** The used part of a workload's Scale. */
export interface Scale {
  readonly resourceVersion: string;
  /** The wanted number of replicas. */
  readonly replicas: number;
}

/**
 * Reads the Scale from an answer.
 *
 * @throws {ReplyShapeError} when it is something else
 */
export function parseScale(body: string, question: Question): Scale {
  const { kind, metadata, spec } = objectOf(parseJson(body));
  const { resourceVersion } = objectOf(metadata);
  // Absent if it is zero: the server leaves out empty fields.
  const { replicas = 0 } = objectOf(spec);
  const isCount = typeof replicas === "number" && Number.isSafeInteger(replicas) && replicas >= 0;
  if (kind !== "Scale" || typeof resourceVersion !== "string" || !isCount) {
    throw new ReplyShapeError(`${subject(question)} was answered with something that is not a Scale`);
  }
  return { resourceVersion, replicas };
}

/** The error of an answer, with a fix. */
export function refusalOf({ status, body }: Answer, question: Question): RedisBatchError {
  const said = quote(body);
  const { verb, resource, namespace, name } = question;
  const command = `${verb} ${resource}`;
  if (status === 401) {
    return new PermissionError(
      `${subject(question)}: the API server rejects the credentials${said}: check that the token or certificate belongs to this cluster and has not expired`,
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
      `${subject(question)}: it does not exist${said}: check its name and namespace, and that its kind can be scaled`,
      { command, reply: "NotFound" },
    );
  }
  if (status === 409) {
    return new ServerStateError(`${subject(question)}: it was changed in the meantime${said}`, { state: "Conflict" });
  }
  if (status === 429 || status >= 500) {
    return new ServerStateError(
      `${subject(question)}: the API server is temporarily refusing requests, with ${status}${said}: the request is retried later`,
      { state: String(status) },
    );
  }
  return new CommandError(`${subject(question)} was refused with ${status}${said}`, { command, reply: String(status) });
}

/** The pause that the server asks for, in milliseconds; `null`: none. The form with a date is ignored. */
export function parseRetryAfter(value: string | undefined): number | null {
  return value !== undefined && /^\d{1,6}$/.test(value) ? Number(value) * 1_000 : null;
}

export function subject({ verb, resource, namespace, name }: Question): string {
  return `${verb} ${resource} ${namespace}/${name}`;
}

const LONGEST_QUOTE = 300;

/** The message of a `Status`. Nothing else is quoted, because a proxy may have written it. */
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
