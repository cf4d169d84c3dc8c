/**
 * Every error that Redis Batch throws. One class per reaction of the caller, not per message: failures that call for the
 * same reaction share a class.
 */
import { isError } from "./thrown.ts";

/** What went wrong, stable across versions: safe to switch on and to alert on. */
export type ErrorCode =
  | "CONFIG"
  | "USAGE"
  | "PAYLOAD"
  | "CONNECTION"
  | "SERVER_STATE"
  | "NO_GROUP"
  | "WRONG_TYPE"
  | "PERMISSION"
  | "CREDENTIALS"
  | "UNSUPPORTED_SERVER"
  | "COMMAND"
  | "REPLY_SHAPE"
  | "QUEUE_FULL"
  | "LEASE_LOST"
  | "PARTITION_LOST"
  | "NAME_IN_USE";

interface ErrorDetails {
  readonly code: ErrorCode;
  /** Whether the same call may succeed later without any change. */
  readonly retryable: boolean;
  readonly cause?: unknown;
}

// Two installed copies of this package have two classes but one brand, so `X.is(error)` agrees where `instanceof` cannot.
const BRAND = Symbol.for("@redis-batch/error");

/** The base of every error thrown by Redis Batch. Test with {@link RedisBatchError.is}, not with `instanceof`. */
export abstract class RedisBatchError extends Error {
  /** The class name. Written out in each class, because minifiers rename the classes themselves. */
  abstract override get name(): string;

  readonly code: ErrorCode;
  /** Whether the same call may succeed later without any change. */
  readonly retryable: boolean;

  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.retryable = details.retryable;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** Whether `value` is an error of Redis Batch, whichever installed copy threw it. */
  static is(value: unknown): value is RedisBatchError {
    try {
      return isError(value) && BRAND in value;
    } catch {
      // Anything can be thrown, even a proxy whose traps throw.
      return false;
    }
  }
}

const hasCode = (value: unknown, code: ErrorCode): boolean => RedisBatchError.is(value) && value.code === code;

/** The options are wrong. Names every problem at once; nothing was started. Fix the options. */
export class ConfigError extends RedisBatchError {
  /** One sentence per wrong option. */
  readonly problems: readonly string[];

  constructor(subject: string, problems: readonly string[]) {
    super(`${subject}: ${problems.join("; ")}`, { code: "CONFIG", retryable: false });
    this.problems = problems;
  }

  override get name(): string {
    return "ConfigError";
  }

  static override is(value: unknown): value is ConfigError {
    return hasCode(value, "CONFIG");
  }
}

/** The call does not fit the state of the object: a second concurrent `fetch()`, a use after `close()`. Fix the code. */
export class UsageError extends RedisBatchError {
  constructor(message: string) {
    super(message, { code: "USAGE", retryable: false });
  }

  override get name(): string {
    return "UsageError";
  }

  static override is(value: unknown): value is UsageError {
    return hasCode(value, "USAGE");
  }
}

/** A payload cannot be encoded or decoded. The message never contains the payload itself. */
export class PayloadError extends RedisBatchError {
  /** The entry that the payload was read from; `undefined` if it was about to be written. */
  readonly entryId: string | undefined;

  constructor(message: string, details: { readonly entryId?: string; readonly cause?: unknown } = {}) {
    super(message, { code: "PAYLOAD", retryable: false, cause: details.cause });
    this.entryId = details.entryId;
  }

  override get name(): string {
    return "PayloadError";
  }

  static override is(value: unknown): value is PayloadError {
    return hasCode(value, "PAYLOAD");
  }
}

/** Whether the server may have executed a command whose connection failed. */
export type CommandOutcome = "not-sent" | "unknown";

/** The connection failed during a command. `outcome` says whether it is safe to send the command again. */
export class ConnectionError extends RedisBatchError {
  /** `not-sent`: certainly not executed. `unknown`: perhaps executed, but the reply was lost. */
  readonly outcome: CommandOutcome;

  constructor(message: string, details: { readonly outcome: CommandOutcome; readonly cause?: unknown }) {
    super(message, { code: "CONNECTION", retryable: true, cause: details.cause });
    this.outcome = details.outcome;
  }

  override get name(): string {
    return "ConnectionError";
  }

  static override is(value: unknown): value is ConnectionError {
    return hasCode(value, "CONNECTION");
  }
}

/** The server temporarily refuses commands: loading, demoted, out of memory, busy with a script … Not executed; retry later. */
export class ServerStateError extends RedisBatchError {
  /** The first word of the server's reply: `LOADING`, `READONLY`, `OOM`, `BUSY`, `MISCONF` … */
  readonly state: string;

  constructor(message: string, details: { readonly state: string; readonly cause?: unknown }) {
    super(message, { code: "SERVER_STATE", retryable: true, cause: details.cause });
    this.state = details.state;
  }

  override get name(): string {
    return "ServerStateError";
  }

  static override is(value: unknown): value is ServerStateError {
    return hasCode(value, "SERVER_STATE");
  }
}

/** The stream or its consumer group does not exist (any more). Create the group. */
export class NoGroupError extends RedisBatchError {
  constructor(message: string, details: { readonly cause?: unknown } = {}) {
    super(message, { code: "NO_GROUP", retryable: false, cause: details.cause });
  }

  override get name(): string {
    return "NoGroupError";
  }

  static override is(value: unknown): value is NoGroupError {
    return hasCode(value, "NO_GROUP");
  }
}

/** The key holds something other than a stream. Use another name, or move that key away. */
export class WrongTypeError extends RedisBatchError {
  constructor(message: string, details: { readonly cause?: unknown } = {}) {
    super(message, { code: "WRONG_TYPE", retryable: false, cause: details.cause });
  }

  override get name(): string {
    return "WrongTypeError";
  }

  static override is(value: unknown): value is WrongTypeError {
    return hasCode(value, "WRONG_TYPE");
  }
}

/** Why the server refuses a command. */
export type Refusal = "credentials" | "right" | "command";

/**
 * The server rejects this user, or does not allow the command: because of an ACL rule, or because it offers the command
 * to no user (`rename-command`, a proxy, a managed server). Fix the credentials, the ACL rule, or the command list.
 */
export class PermissionError extends RedisBatchError {
  /** The command that was refused, lower case, or the atomic operation: `xadd`, `ackOwned` … */
  readonly command: string;
  /**
   * `credentials`: it rejects the user name or password · `right`: this user lacks a right · `command`: the server, or a
   * proxy in front of it, does not offer the command to any user.
   */
  readonly refusal: Refusal;
  /** The ACL rules to add, each a word of `ACL SETUSER`; empty if they are not known, or if no rule is missing. */
  readonly rules: readonly string[];

  constructor(
    message: string,
    details: {
      readonly command: string;
      readonly refusal?: Refusal;
      readonly rules?: readonly string[];
      readonly cause?: unknown;
    },
  ) {
    super(message, { code: "PERMISSION", retryable: false, cause: details.cause });
    this.command = details.command;
    this.refusal = details.refusal ?? "right";
    this.rules = details.rules ?? [];
  }

  override get name(): string {
    return "PermissionError";
  }

  static override is(value: unknown): value is PermissionError {
    return hasCode(value, "PERMISSION");
  }
}

/**
 * User and password could not be had: the `credentials` function threw, did not answer in time, or returned something
 * else; or reading them from `redis` threw. It is asked again after a pause. Never contains a secret, and so not the
 * message of what was thrown. Arrives as the reason of `connectFailed` and the `cause` of a {@link ConnectionError}.
 */
export class CredentialsError extends RedisBatchError {
  constructor(message: string) {
    super(`credentials: ${message}`, { code: "CREDENTIALS", retryable: true });
  }

  override get name(): string {
    return "CredentialsError";
  }

  static override is(value: unknown): value is CredentialsError {
    return hasCode(value, "CREDENTIALS");
  }
}

/** The server lacks what Redis Batch needs. Upgrade it: Redis 7.0 or Valkey 8, and later. */
export class UnsupportedServerError extends RedisBatchError {
  constructor(message: string, details: { readonly cause?: unknown } = {}) {
    super(message, { code: "UNSUPPORTED_SERVER", retryable: false, cause: details.cause });
  }

  override get name(): string {
    return "UnsupportedServerError";
  }

  static override is(value: unknown): value is UnsupportedServerError {
    return hasCode(value, "UNSUPPORTED_SERVER");
  }
}

/** The server refused the command for another reason, which the message quotes. */
export class CommandError extends RedisBatchError {
  /** The command that was refused, lower case, or the atomic operation: `xadd`, `ackOwned` … */
  readonly command: string;
  /** The first word of the server's reply: `ERR`, `BUSYGROUP` … */
  readonly reply: string;

  constructor(message: string, details: { readonly command: string; readonly reply: string }) {
    super(message, { code: "COMMAND", retryable: false });
    this.command = details.command;
    this.reply = details.reply;
  }

  override get name(): string {
    return "CommandError";
  }

  static override is(value: unknown): value is CommandError {
    return hasCode(value, "COMMAND");
  }
}

/** A reply has a shape that this version does not know. Report it, with the server's version. */
export class ReplyShapeError extends RedisBatchError {
  constructor(message: string) {
    super(message, { code: "REPLY_SHAPE", retryable: false });
  }

  override get name(): string {
    return "ReplyShapeError";
  }

  static override is(value: unknown): value is ReplyShapeError {
    return hasCode(value, "REPLY_SHAPE");
  }
}

/** The producer's queue is full because the server is unreachable or slow. Nothing was sent; slow down or shed load. */
export class QueueFullError extends RedisBatchError {
  constructor(message: string) {
    super(message, { code: "QUEUE_FULL", retryable: true });
  }

  override get name(): string {
    return "QueueFullError";
  }

  static override is(value: unknown): value is QueueFullError {
    return hasCode(value, "QUEUE_FULL");
  }
}

/** Why a message no longer belongs to this consumer. */
export type LeaseLoss =
  /** Its lease expired, and another consumer may have claimed it. */
  | "taken"
  /** It was deleted from the stream. */
  | "trimmed"
  /** It was held longer than `maxHoldMs`. */
  | "held-too-long";

/** The abort reason of `message.signal`: the message no longer belongs to this consumer. Stop processing it. */
export class LeaseLostError extends RedisBatchError {
  readonly entryId: string;
  readonly loss: LeaseLoss;

  constructor(message: string, details: { readonly entryId: string; readonly loss: LeaseLoss }) {
    super(message, { code: "LEASE_LOST", retryable: false });
    this.entryId = details.entryId;
    this.loss = details.loss;
  }

  override get name(): string {
    return "LeaseLostError";
  }

  static override is(value: unknown): value is LeaseLostError {
    return hasCode(value, "LEASE_LOST");
  }
}

/** The consumer does not own the partition any more: another one may work on its messages already. Stop; outcomes are ignored. */
export class PartitionLostError extends RedisBatchError {
  /** Which one, from 0. */
  readonly partition: number;

  constructor(message: string, details: { readonly partition: number }) {
    super(message, { code: "PARTITION_LOST", retryable: false });
    this.partition = details.partition;
  }

  override get name(): string {
    return "PartitionLostError";
  }

  static override is(value: unknown): value is PartitionLostError {
    return hasCode(value, "PARTITION_LOST");
  }
}

/** Another process uses this consumer's name. Give each process its own name, or leave out the name. */
export class ConsumerNameInUseError extends RedisBatchError {
  /** The consumer's name. */
  readonly consumer: string;

  constructor(message: string, details: { readonly consumer: string }) {
    super(message, { code: "NAME_IN_USE", retryable: false });
    this.consumer = details.consumer;
  }

  override get name(): string {
    return "ConsumerNameInUseError";
  }

  static override is(value: unknown): value is ConsumerNameInUseError {
    return hasCode(value, "NAME_IN_USE");
  }
}
