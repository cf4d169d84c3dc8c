import { ConfigError, NoGroupError, PermissionError } from "@redis-batch/core";
import { expect, test } from "vitest";
import { describeFailure, explainFailure, Failure } from "./failure.ts";

// As Redis 7.0, and later servers, put it.
test.each([
  ["this user has no permissions to run the 'xadd' command", '`ACL SETUSER <user> "(~<key> +xadd)"`'],
  ["User app has no permissions to run the 'xinfo|stream' command", '`ACL SETUSER app "(~<key> +xinfo|stream)"`'],
  [
    "ACL failure in script: User app has no permissions to run the 'hget' command script: 1f",
    'ACL SETUSER app "(~<key> +hget)"',
  ],
  ["this user has no permissions to run the 'client|id' command", "`ACL SETUSER <user> +client|id`"],
  ["The user executing the script can't run this command or subcommand script: 1f", "grant it; `redis-batch acl"],
  ["this user has no permissions to access one of the keys used as arguments", "grant the keys"],
  ["No permissions to access a key", "grant the keys"],
])("spells out what to grant for %j", (reply, says) => {
  const error = new PermissionError(
    `xadd: this user lacks a right: ${reply}. Grant it with ACL SETUSER (commands and key patterns)`,
    { command: "xadd" },
  );
  const { code, fix } = describeFailure(error);
  expect({ code, fix }).toEqual({ code: 4, fix: expect.stringContaining(says) as string });
});

test("leaves it to the message to say what to grant, if that says it for the key", () => {
  const error = new PermissionError(
    "xadd: this user lacks a right: NOPERM this user has no permissions to run the 'xadd' command. A producer needs it. …",
    { command: "xadd", rules: ["(~orders +xadd)"] },
  );
  expect(describeFailure(error).fix).toMatch(/^`redis-batch acl/);
});

test("says where user and password are given when they are wrong", () => {
  const error = new PermissionError("auth: the server does not accept user and password: WRONGPASS", {
    command: "auth",
  });
  expect(describeFailure(error)).toMatchObject({ code: 4, fix: expect.stringContaining("--password-file") as string });
});

test("says where the Sentinels' own user and password are given", () => {
  const message = "connect: the Sentinel host:26379: NOAUTH; Sentinels have sentinelUsername and sentinelPassword";
  const error = new PermissionError(message, { command: "connect", refusal: "credentials" });
  const fix = expect.stringContaining("REDIS_SENTINEL_PASSWORD") as string;
  expect(describeFailure(error)).toMatchObject({ code: 4, fix });
});

test.each([
  ["xinfo: … does not exist: ERR no such key", 'there is no stream "or ders"'],
  ["xgroup: … does not exist: ERR The XGROUP subcommand requires the key to exist.", 'there is no stream "or ders"'],
  [
    "xinfo: … does not exist: NOGROUP No such consumer group 'g' for key name 'or ders'",
    'the stream "or ders" has no group "g"',
  ],
  ["xpending: … does not exist: NOGROUP No such key 'or ders' or consumer group 'g'", "or it has no group"],
  ['the stream "or ders" has no group "g"', 'the stream "or ders" has no group "g"'],
])("names what is missing, and how to find what is there, for %j", (message, says) => {
  const subject = { path: ["pending"], stream: "or ders", group: "g" };
  const report = describeFailure(explainFailure(new NoGroupError(message), subject));
  expect(report).toMatchObject({ code: 5, message: expect.stringContaining(says) as string });
  expect(report.fix).toContain(
    says.startsWith("there is") ? "`redis-batch streams`" : "`redis-batch groups 'or ders'`",
  );
});

test("points to the help where nothing better is said", () => {
  const explained = (fix?: string) =>
    describeFailure(explainFailure(new Failure("usage", "no", fix), { path: ["group", "seek"] })).fix;
  expect([explained(), explained("so")]).toEqual(["redis-batch group seek --help", "so"]);
  const config = explainFailure(new ConfigError("redis", ["wrong"]), { path: ["streams"] });
  expect(describeFailure(config)).toEqual({ code: 2, message: "redis: wrong", fix: "redis-batch streams --help" });
});
