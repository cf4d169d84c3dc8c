import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import * as errors from "./errors.ts";

type Errors = typeof errors;
type ClassName = Exclude<keyof Errors, "RedisBatchError">;

const BASE = "RedisBatchError";

/** One sample of every class, with the code and the retryability it promises. */
const TABLE: Readonly<
  Record<ClassName, { make: (from: Errors) => errors.RedisBatchError; code: errors.ErrorCode; retryable: boolean }>
> = {
  ConfigError: { make: (from) => new from.ConfigError("x", ["a", "b"]), code: "CONFIG", retryable: false },
  UsageError: { make: (from) => new from.UsageError("x"), code: "USAGE", retryable: false },
  PayloadError: { make: (from) => new from.PayloadError("x"), code: "PAYLOAD", retryable: false },
  ConnectionError: {
    make: (from) => new from.ConnectionError("x", { outcome: "unknown" }),
    code: "CONNECTION",
    retryable: true,
  },
  ServerStateError: {
    make: (from) => new from.ServerStateError("x", { state: "LOADING" }),
    code: "SERVER_STATE",
    retryable: true,
  },
  NoGroupError: { make: (from) => new from.NoGroupError("x"), code: "NO_GROUP", retryable: false },
  WrongTypeError: { make: (from) => new from.WrongTypeError("x"), code: "WRONG_TYPE", retryable: false },
  PermissionError: {
    make: (from) => new from.PermissionError("x", { command: "xadd" }),
    code: "PERMISSION",
    retryable: false,
  },
  CredentialsError: { make: (from) => new from.CredentialsError("x"), code: "CREDENTIALS", retryable: true },
  UnsupportedServerError: {
    make: (from) => new from.UnsupportedServerError("x"),
    code: "UNSUPPORTED_SERVER",
    retryable: false,
  },
  CommandError: {
    make: (from) => new from.CommandError("x", { command: "xadd", reply: "ERR" }),
    code: "COMMAND",
    retryable: false,
  },
  ReplyShapeError: { make: (from) => new from.ReplyShapeError("x"), code: "REPLY_SHAPE", retryable: false },
  LeaseLostError: {
    make: (from) => new from.LeaseLostError("x", { entryId: "1-0", loss: "taken" }),
    code: "LEASE_LOST",
    retryable: false,
  },
  PartitionLostError: {
    make: (from) => new from.PartitionLostError("x", { partition: 3 }),
    code: "PARTITION_LOST",
    retryable: false,
  },
  ConsumerNameInUseError: {
    make: (from) => new from.ConsumerNameInUseError("x", { consumer: "c" }),
    code: "NAME_IN_USE",
    retryable: false,
  },
  QueueFullError: { make: (from) => new from.QueueFullError("x"), code: "QUEUE_FULL", retryable: true },
};

const names = Object.keys(TABLE) as ClassName[];
const own: Errors = { ...errors };

// A second copy of the module, as an application has it whose packages brought two versions of core.
const secondCopy = "./errors.ts?copy=2";
const copy = (await import(secondCopy)) as Errors;

test("the table has every class of the module", () => {
  expect(Object.keys(errors).toSorted()).toEqual([...names, BASE].toSorted());
});

test("no two classes share a code", () => {
  expect(new Set(names.map((name) => TABLE[name].code)).size).toBe(names.length);
});

test("the second copy is another module", () => {
  expect(copy.ConfigError).not.toBe(errors.ConfigError);
});

describe.each(names)("%s", (name) => {
  const { make, code, retryable } = TABLE[name];

  test("has its name, code, retryability, message and stack", () => {
    const error = make(errors);
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(errors.RedisBatchError);
    expect(error).toMatchObject({ name, code, retryable });
    expect(error.message).toContain("x");
    expect(error.stack).toContain("errors.test");
    expect(error.stack).toMatch(new RegExp(`^${name}: `));
    expect(Object.hasOwn(error, "cause")).toBe(false);
  });

  test("keeps its name where a bundler that minifies has renamed its class", () => {
    Object.defineProperty(copy[name], "name", { value: "a" });
    expect(make(copy)).toMatchObject({ name, stack: expect.stringMatching(new RegExp(`^${name}: `)) as unknown });
  });

  test.each([
    ["its own copy", errors, errors],
    ["another copy", errors, copy],
    ["an older error in a newer check", copy, errors],
  ] as const)("is recognised by %s, and as nothing else", (_, thrower, catcher) => {
    const error = make(thrower);
    expect(catcher.RedisBatchError.is(error)).toBe(true);
    for (const other of names) expect([other, catcher[other].is(error)]).toEqual([other, other === name]);
  });

  test("is recognised when it is an Error of another realm, as of a copy that Jest has loaded", () => {
    const foreign = make(errors);
    const elsewhere: unknown = runInNewContext("new Error('elsewhere')");
    Object.defineProperties(elsewhere, Object.getOwnPropertyDescriptors(foreign));
    expect(elsewhere instanceof Error).toBe(false);
    expect(own[name].is(elsewhere)).toBe(true);
  });

  test("recognises neither foreign errors nor look-alikes", () => {
    const lookAlike = Object.assign(new Error("x"), { name, code, retryable });
    for (const value of [lookAlike, { name, code, retryable }, code, null, undefined, 0]) {
      expect(own[name].is(value)).toBe(false);
      expect(errors.RedisBatchError.is(value)).toBe(false);
    }
  });
});

describe("details", () => {
  test("ConfigError names every problem in its message and in a list", () => {
    const error = new errors.ConfigError("new Consumer", ["no stream", "no group"]);
    expect(error.message).toBe("new Consumer: no stream; no group");
    expect(error.problems).toEqual(["no stream", "no group"]);
  });

  test("each class keeps the facts a caller reacts to", () => {
    expect(new errors.PayloadError("x", { entryId: "1-1" }).entryId).toBe("1-1");
    expect(new errors.PayloadError("x").entryId).toBeUndefined();
    expect(new errors.ConnectionError("x", { outcome: "not-sent" }).outcome).toBe("not-sent");
    expect(new errors.ServerStateError("x", { state: "OOM" }).state).toBe("OOM");
    expect(new errors.PermissionError("x", { command: "xack" }).command).toBe("xack");
    expect(new errors.CommandError("x", { command: "xadd", reply: "ERR" })).toMatchObject({
      ...{ command: "xadd", reply: "ERR" },
    });
  });

  test("a cause that is given is kept", () => {
    const cause = new Error("socket");
    expect(new errors.ConnectionError("x", { outcome: "unknown", cause }).cause).toBe(cause);
    expect(new errors.PayloadError("x", { cause }).cause).toBe(cause);
  });
});
