import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import {
  CommandError,
  ConnectionError,
  NoGroupError,
  PermissionError,
  RedisBatchError,
  ServerStateError,
  UnsupportedServerError,
  WrongTypeError,
} from "../errors/errors.ts";
import { translateError } from "./translate-error.ts";

/** As ioredis throws it: the server's words, and the command with its arguments hung on. */
function replyError(message: string, name = "ReplyError"): Error {
  const error = new Error(message);
  error.name = name;
  return Object.assign(error, { command: { name: "xadd", args: ["orders", "*", "card", "hunter2"] } });
}

describe("a server's refusal", () => {
  test.each([
    "LOADING Redis is loading the dataset in memory",
    "READONLY You can't write against a read only replica.",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "CLUSTERDOWN The cluster is down",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "MOVED 3999 127.0.0.1:6381",
    "ASK 3999 127.0.0.1:6381",
    "NOREPLICAS Not enough good replicas to write.",
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "OOM command not allowed when used memory > 'maxmemory'. script: 1f, on @user_script:20.",
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "UNBLOCKED the stream key no longer exists",
    "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
    "EXECABORT Transaction discarded because of previous errors.",
  ])("that passes is a ServerStateError: %s", (reply) => {
    const error = translateError(replyError(reply), "xadd");
    expect(ServerStateError.is(error)).toBe(true);
    expect(error).toMatchObject({ state: reply.split(" ")[0], retryable: true });
    expect(error.message).toContain(reply);
  });

  test.each([
    "NOGROUP No such key 'orders' or consumer group 'billing' in XREADGROUP with GROUP option",
    "NOGROUP No such key 'orders' or consumer group 'billing'. script: 1f, on @user_script:9.",
    "ERR no such key",
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option " +
      "to create an empty stream automatically.",
  ])("over a missing stream or group is a NoGroupError: %s", (reply) => {
    expect(NoGroupError.is(translateError(replyError(reply), "xreadgroup"))).toBe(true);
  });

  test.each([
    "WRONGTYPE Operation against a key holding the wrong kind of value",
    "WRONGTYPE Operation against a key holding the wrong kind of value script: 1f, on @user_script:9.",
  ])("over a key of another type is a WrongTypeError: %s", (reply) => {
    expect(WrongTypeError.is(translateError(replyError(reply), "xadd"))).toBe(true);
  });

  test.each([
    "NOAUTH Authentication required.",
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> " +
      "option can be used to authenticate the client and select the RESP protocol version at the same time",
    "WRONGPASS invalid username-password pair or user is disabled.",
    "NOPERM this user has no permissions to run the 'xadd' command",
    "NOPERM User worker has no permissions to run the 'xadd' command",
    "NOPERM this user has no permissions to access one of the keys used as arguments",
    "NOPERM No permissions to access a key",
    "ERR The user executing the script can't run this command or subcommand script: 1f, on @user_script:9.",
    "ERR ACL failure in script: User worker has no permissions to run the 'xack' command script: 1f, on @user_script:9.",
    "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments " +
      "script: 1f, on @user_script:9.",
  ])("over user, password or rights is a PermissionError that names the command: %s", (reply) => {
    const error = translateError(replyError(reply), "xadd");
    expect(PermissionError.is(error)).toBe(true);
    expect(error).toMatchObject({ command: "xadd", retryable: false });
    expect(error.message).toMatch(/^xadd: /);
  });

  test.each([
    "ERR unknown command 'XADD', with args beginning with: 'orders' '*' 'card' 'hunter2' ",
    "ERR unknown command `XADD`, with args beginning with: `orders`, `*`, `card`, `hunter2`, ",
    "ERR unknown command 'XADD', with args beginning with: 'orders' '*' 'card' 'two\nlines hunter2' ",
    "ERR unknown command `XADD`",
    "ERR Unknown subcommand or wrong number of arguments for 'CREATECONSUMER'. Try XGROUP HELP.",
    "ERR unknown subcommand 'CREATECONSUMER'. Try XGROUP HELP.",
    "ERR Unknown Redis command called from script script: 1f, on @user_script:9.",
    "unsupported command 'xadd'",
    "ERR unsupported command",
    "ERR unsupported",
    "ERR command not allowed",
    "ERR handle request, command 'XADD' is not allowed",
    "ERR Command is not available: 'XADD'. See https://example.com",
    "ERR command denied",
    "ERR unsupport command",
    "invalid request",
    "ERR command 'XADD' not support for normal user",
    'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local" …',
  ])("of a command that is not offered is a PermissionError that names it, and guesses no version: %s", (reply) => {
    const error = translateError(replyError(reply), "xadd");
    expect(PermissionError.is(error)).toBe(true);
    expect(error).toMatchObject({ command: "xadd", retryable: false });
    expect(error.message).toMatch(/^xadd: .*rename-command/s);
    expect(error.message).not.toMatch(/7\.0|hunter2/);
  });

  test("of a script that has flags is an UnsupportedServerError: only old servers cannot read them", () => {
    const reply = "ERR Error compiling script (new function): user_script:1: unexpected symbol near '#' ";
    expect(UnsupportedServerError.is(translateError(replyError(reply), "heartbeat"))).toBe(true);
  });

  test.each([
    ["BUSYGROUP Consumer Group name already exists", "BUSYGROUP"],
    ["NOSCRIPT No matching script. Please use EVAL.", "NOSCRIPT"],
    ["CROSSSLOT Keys in request don't hash to the same slot", "CROSSSLOT"],
    ["ERR Invalid stream ID specified as stream command argument", "ERR"],
    ["ERR syntax error", "ERR"],
    ["ERR max number of clients reached", "ERR"],
  ])("of any other kind is a CommandError that keeps its first word: %s", (reply, word) => {
    const error = translateError(replyError(reply), "xadd");
    expect(CommandError.is(error)).toBe(true);
    expect(error).toMatchObject({ command: "xadd", reply: word, message: `xadd: ${reply}` });
  });
});

describe("in a bundle that is minified", () => {
  test.each(["ReplyError", "a", "$e", ""])(
    "a refusal is known by what no bundler renames, not by its class (%s)",
    (name) => {
      const error = translateError(replyError("BUSYGROUP Consumer Group name already exists", name), "xgroupCreate");
      expect(error).toMatchObject({ name: "CommandError", code: "COMMAND", reply: "BUSYGROUP" });
    },
  );

  test.each(["AbortError", "b", ""])(
    "a command that was given up is none, though ioredis marks it alike (%s)",
    (name) => {
      const error = translateError(replyError("Command aborted due to connection close", name), "xadd");
      expect(error).toMatchObject({ name: "ConnectionError", code: "CONNECTION", outcome: "unknown" });
    },
  );
});

describe("a connection's failure", () => {
  test.each([
    "Stream isn't writeable and enableOfflineQueue options is false",
    "Cluster isn't ready and enableOfflineQueue options is false",
    "Failed to refresh slots cache.",
    "None of startup nodes is available",
  ])("before the command left is not-sent: %s", (message) => {
    expect(translateError(new Error(message), "xadd")).toMatchObject({ code: "CONNECTION", outcome: "not-sent" });
  });

  test.each([
    "Connection is closed.",
    "read ECONNRESET",
    'Reached the max retries per request limit (which is 0). Refer to "maxRetriesPerRequest" option for details.',
    "Command timed out",
    "Too many Cluster redirections. Last error: Error: Connection is closed.",
  ])("after it may have left has an unknown outcome: %s", (message) => {
    const error = translateError(new Error(message), "xadd");
    expect(error).toMatchObject({ code: "CONNECTION", outcome: "unknown", retryable: true });
    expect((error.cause as Error).message).toBe(message);
  });

  test.each(["ReplyError: ", "$e: ", ""])(
    "a refusal as the last of too many redirections proves that nothing was executed (%s)",
    (name) => {
      const message = `Too many Cluster redirections. Last error: ${name}MOVED 3999 127.0.0.1:6381`;
      const error = translateError(new Error(message), "xadd");
      expect(ServerStateError.is(error)).toBe(true);
      expect(error).toMatchObject({ state: "MOVED" });
    },
  );

  test("keeps its words when it is of another realm, as those of Node are in Jest", () => {
    const error = translateError(runInNewContext('new Error("read ECONNRESET")'), "xadd");
    expect((error.cause as Error).message).toBe("read ECONNRESET");
  });

  test("is one as well when what was thrown is not an error", () => {
    expect(ConnectionError.is(translateError("gone", "xadd"))).toBe(true);
    expect(ConnectionError.is(translateError(undefined, "xadd"))).toBe(true);
  });
});

test("an error of Redis Batch passes unchanged", () => {
  const error = new NoGroupError("x");
  expect(translateError(error, "xadd")).toBe(error);
});

test("neither payload nor password is anywhere in the result", () => {
  const args = { command: { name: "xadd", args: ["orders", "*", "card", "hunter2"] }, password: "hunter2" };
  const thrown = [
    ...["ERR unknown command 'XADD', with args beginning with: 'hunter2' ", "WRONGPASS invalid", "OOM no"].map(
      (message) => replyError(message),
    ),
    Object.assign(new Error("Connection is closed."), args),
    Object.assign(new Error("Reached the max retries per request limit"), args),
  ];
  for (const original of thrown) {
    const error = translateError(original, "xadd");
    expect(RedisBatchError.is(error)).toBe(true);
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain("hunter2");
  }
});
