import { expect, test } from "vitest";
import { type ServerSettings, serverConfig } from "./server-config.ts";

const PLAIN: ServerSettings = {
  folder: "/tmp/rb-1-a",
  listen: { kind: "tcp", port: 10_001, bind: "127.0.0.1" },
  persistence: "none",
  users: [],
  config: [],
};

function lines(settings: Partial<ServerSettings>): string[] {
  return serverConfig({ ...PLAIN, ...settings }).split("\n");
}

test("listens on one port of one interface, and writes nothing to disk", () => {
  expect(lines({})).toEqual(expect.arrayContaining(["bind 127.0.0.1", "port 10001", 'save ""']));
  expect(lines({}).some((line) => line.startsWith("append"))).toBe(false);
});

test("listens on a socket alone", () => {
  const socket = lines({ listen: { kind: "socket", path: "/tmp/rb-1-a/socket" } });
  expect(socket).toEqual(expect.arrayContaining(["port 0", "unixsocket /tmp/rb-1-a/socket"]));
});

test("has every write on disk before its reply with aof", () => {
  expect(lines({ persistence: "aof" })).toEqual(expect.arrayContaining(["appendonly yes", "appendfsync always"]));
});

test("takes away what a named user may do before it gives", () => {
  const users = [
    { name: "default", password: "secret", rules: "~* &* +@all" },
    { name: "reader", rules: "%R~orders +xread" },
  ];
  expect(lines({ users })).toEqual(
    expect.arrayContaining([
      "user default reset on >secret ~* &* +@all",
      "user reader reset on nopass %R~orders +xread",
    ]),
  );
});

test("follows a server with the rights that server asks for", () => {
  const replicaOf = { host: "127.0.0.1", port: 10_002, username: "default", password: "secret" };
  expect(lines({ replicaOf })).toEqual(
    expect.arrayContaining(["replicaof 127.0.0.1 10002", "masteruser default", "masterauth secret"]),
  );
});

test("leaves out of a Sentinel's file what a Sentinel does not take", () => {
  const sentinel = lines({ sentinel: ["sentinel monitor primary 127.0.0.1 10002 1"], persistence: "aof" });
  expect(sentinel).toContain("sentinel monitor primary 127.0.0.1 10002 1");
  expect(sentinel.some((line) => /^(save|append|enable-debug)/.test(line))).toBe(false);
});

test("puts further lines last, so that they win", () => {
  expect(lines({ config: ["maxmemory 10mb"] }).at(-2)).toBe("maxmemory 10mb");
});
