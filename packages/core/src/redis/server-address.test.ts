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
  ])("%s", (url, expected) => {
    expect(parseRedisUrl(url)).toEqual(expected);
  });

  // TLS's server name is a host name by its definition; Node warns about, and servers may refuse, an address.
  test.each(["rediss://127.0.0.1:1", "rediss://[::1]:1"])("%s asks for TLS without a server name", (url) => {
    expect(parseRedisUrl(url)).toMatchObject({ tls: {} });
    expect(parseRedisUrl(url).tls).not.toHaveProperty("servername");
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
