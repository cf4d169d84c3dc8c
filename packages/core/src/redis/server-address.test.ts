import type { RedisOptions } from "ioredis";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../errors/errors.ts";
import { parseRedisUrl } from "./server-address.ts";

describe("parseRedisUrl", () => {
  test.each([
    ["redis://localhost", { host: "localhost", port: 6379 }],
    ["redis://localhost/", { host: "localhost", port: 6379 }],
    ["redis://10.0.0.1:7000/3", { host: "10.0.0.1", port: 7000, db: 3 }],
    ["redis://[::1]:6380", { host: "::1", port: 6380 }],
    ["redis://[2001:db8::1]", { host: "2001:db8::1", port: 6379 }],
    ["redis://:secret@host", { host: "host", port: 6379, password: "secret" }],
    ["redis://user@host", { host: "host", port: 6379, username: "user" }],
    ["redis://user:secret@host:1/0", { host: "host", port: 1, username: "user", password: "secret", db: 0 }],
    [
      "redis://us%40er:p%3A%2F%3F%23%25%C3%A9@host",
      { host: "host", port: 6379, username: "us@er", password: "p:/?#%é" },
    ],
    ["redis://host?family=0", { host: "host", port: 6379, family: 0 }],
    ["redis://host:1/2?family=6", { host: "host", port: 1, db: 2, family: 6 }],
    ["rediss://host", { host: "host", port: 6379, tls: { servername: "host" } }],
    ["rediss://u:p@host:2", { host: "host", port: 2, username: "u", password: "p", tls: { servername: "host" } }],
    ["unix:///run/redis/redis.sock", { path: "/run/redis/redis.sock" }],
    ["unix:///tmp/with%20space.sock", { path: "/tmp/with space.sock" }],
    ["unix://user:p%40ss@/tmp/a.sock", { path: "/tmp/a.sock", username: "user", password: "p@ss" }],
    ["REDIS://host\n", { host: "host", port: 6379 }],
    ["redis://[fe80::1%25eth0]:1", { host: "fe80::1%eth0", port: 1 }],
    ["redis+sentinel://h/mymaster", { sentinels: [{ host: "h", port: 26379 }], name: "mymaster" }],
    [
      "redis+sentinel://user:p%2Cw@h1:1,[::1],h3:3/my%2Fmaster/2",
      {
        ...{
          sentinels: [
            { host: "h1", port: 1 },
            { host: "::1", port: 26379 },
            { host: "h3", port: 3 },
          ],
        },
        ...{ name: "my/master", db: 2, username: "user", password: "p,w" },
      },
    ],
    [
      "redis+sentinel://:data@h/m?sentinelUsername=us%65r&sentinelPassword=a+b%26c",
      {
        ...{ sentinels: [{ host: "h", port: 26379 }], name: "m", password: "data" },
        ...{ sentinelUsername: "user", sentinelPassword: "a+b&c" },
      },
    ],
    [
      "rediss+sentinel://h,g/m",
      {
        ...{
          sentinels: [
            { host: "h", port: 26379 },
            { host: "g", port: 26379 },
          ],
          name: "m",
        },
        ...{ tls: {}, enableTLSForSentinelMode: true, sentinelTLS: {} },
      },
    ],
    [
      "rediss+sentinel://h/m?sentinelTls=false",
      { sentinels: [{ host: "h", port: 26379 }], name: "m", tls: {}, enableTLSForSentinelMode: true },
    ],
    [
      "redis+sentinel://h/m?sentinelTls=true",
      { sentinels: [{ host: "h", port: 26379 }], name: "m", sentinelTLS: { servername: "h" } },
    ],
    ["redis+cluster://h", { seeds: [{ host: "h", port: 6379 }], perNode: {} }],
    [
      "rediss+cluster://user:pw@a.example:7000,[2001:db8::1]:7001/0?family=6",
      {
        seeds: [
          { host: "a.example", port: 7000 },
          { host: "2001:db8::1", port: 7001 },
        ],
        perNode: { username: "user", password: "pw", family: 6, tls: {} },
      },
    ],
  ])("%s", (url, expected) => {
    expect(parseRedisUrl(url)).toEqual(expected);
  });

  // TLS's server name is a host name by its definition; Node warns about, and servers may refuse, an address.
  test.each(["rediss://127.0.0.1:1", "rediss://[::1]:1"])("%s asks for TLS without a server name", (url) => {
    expect(parseRedisUrl(url)).toMatchObject({ tls: {} });
    expect((parseRedisUrl(url) as RedisOptions).tls).not.toHaveProperty("servername");
  });

  const secret = "hunter2";
  test.each([
    ["no URL", secret],
    ["no scheme", `user:${secret}@host:6379`],
    ["another scheme", `https://user:${secret}@host`],
    ["no host", `redis://user:${secret}@`],
    ["no host at all", "redis://"],
    ["a path without a scheme", `/tmp/${secret}.sock`],
    ["a socket with a host", `unix://host/${secret}.sock`],
    ["a socket without a path", "unix://"],
    ["a socket with parameters", `unix:///tmp/redis.sock?password=${secret}`],
    ["a port that is no number", `redis://user:${secret}@host:port`],
    ["a database that is no number", `redis://user:${secret}@host/main`],
    ["two databases", `redis://user:${secret}@host/1/2`],
    ["an unknown parameter", `redis://user:${secret}@host?db=3`],
    ["an ioredis option as a parameter", `redis://host?autoResendUnfulfilledCommands=true&password=${secret}`],
    ["a family that is none", `redis://user:${secret}@host?family=5`],
    ["a fragment", `redis://user:${secret}@host#1`],
    ["a percent sign that is not an escape", `redis://user:${secret}%zz@host`],
    ["a percent sign that escapes no UTF-8", `redis://user:${secret}%ff@host`],
    ["several plain hosts", `redis://user:${secret}@h1,h2`],
    ["an empty host", `redis+cluster://user:${secret}@h1,,h2`],
    ["a login for each host", `redis+cluster://u:${secret}@h1:1,u:${secret}@h2:2`],
    ["a Cluster with a database", `redis+cluster://u:${secret}@h1/3`],
    ["Sentinels without a name", `redis+sentinel://u:${secret}@h1`],
    ["Sentinels with too long a path", `redis+sentinel://u:${secret}@h1/m/0/${secret}`],
    ["Sentinels with a database that is none", `redis+sentinel://u:${secret}@h1/m/${secret}`],
    ["Sentinels with a TLS that is neither", `redis+sentinel://h1/m?sentinelTls=${secret}`],
    ["a parameter twice", `redis+sentinel://h1/m?sentinelPassword=${secret}&sentinelPassword=x`],
    ["a parameter of Sentinels without any", `redis+cluster://h1?sentinelPassword=${secret}`],
    ["a scheme with too much", `redis+sentinels://u:${secret}@h/m`],
    ["an IPv6 address without brackets", `redis://u:${secret}@::1:6379`],
    ["a port that is too high", `redis://u:${secret}@h:65536`],
    ["a space", `redis://u:${secret}@ho st`],
    ['a password with a bare "?"', `redis://user:1?${secret}@host:6379`],
    ['a password with a bare "#"', `redis://user:1#${secret}@host:6379`],
    ['a password with a bare "/"', `redis://user:1/${secret}@host:6379`],
    ['a password with a bare "?" and "&"', `redis://user:1?${secret}&x@host:6379`],
  ])("refuses %s, without a word of the URL in the error", (_, url) => {
    let caught: unknown;
    try {
      parseRedisUrl(url);
    } catch (error) {
      caught = error;
    }
    expect(ConfigError.is(caught)).toBe(true);
    expect(`${String(caught)} ${String((caught as Error).stack)}`).not.toContain(secret);
    expect((caught as Error).cause).toBeUndefined();
  });
});

test("every problem is named at once, and the right form", () => {
  const url = "redis+sentinel://h1:x,,h2?sentinelTls=yes&more=1";
  expect(() => parseRedisUrl(url)).toThrow(
    expect.objectContaining({
      problems: [
        "the port of host 1 must be a whole number from 1 to 65535",
        "host 2 is empty",
        "the path must be the name that the Sentinels have for the master, as in /mymaster",
        "the parameter sentinelTls must be true or false",
        expect.stringContaining("unknown parameter (allowed: family, sentinelUsername"),
        expect.stringContaining('must look like "redis+sentinel://user:password@host1:26379,host2:26379/mymaster"'),
      ],
    }),
  );
});
