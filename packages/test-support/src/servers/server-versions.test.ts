import { describe, expect, test } from "vitest";
import {
  isSameVersion,
  parseRequestedServer,
  parseServerIdentity,
  SERVER_VERSION_NAMES,
  SERVER_VERSIONS,
} from "./server-versions.ts";

describe("the version table", () => {
  test.each(SERVER_VERSION_NAMES)("%s is named after its flavour, and has a suite and an image", (name) => {
    const { flavour, suites, image } = SERVER_VERSIONS[name];
    expect(name.startsWith(`${flavour}-`)).toBe(true);
    expect(suites.length).toBeGreaterThan(0);
    expect(image.endsWith(name.replace(`${flavour}-`, ":"))).toBe(true);
  });
});

describe("REDIS_BATCH_TEST_SERVER", () => {
  test.each([undefined, ""])("asks for any server when it is %j", (value) => {
    expect(parseRequestedServer(value)).toEqual({ kind: "any" });
  });

  test("asks for a version by its name", () => {
    expect(parseRequestedServer("valkey-9.1")).toEqual({ kind: "version", version: "valkey-9.1" });
  });

  test("asks for a binary by its absolute path", () => {
    expect(parseRequestedServer("/opt/redis-server")).toEqual({ kind: "binary", path: "/opt/redis-server" });
  });

  test.each(["redis-6.2", "redis-server", "toString"])("refuses %s, naming what it takes", (value) => {
    expect(() => parseRequestedServer(value)).toThrow(new RegExp(`"${value}"; it takes redis-7.0, .*valkey-9.1`));
  });
});

describe("a server's identity", () => {
  test("is read from what --version prints", () => {
    const redis = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=e08dbad3e06f3fb";
    expect(parseServerIdentity(redis)).toEqual({ flavour: "redis", version: "7.0.15" });
    const valkey = "Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1b57cd7b8ab4ad54";
    expect(parseServerIdentity(valkey)).toEqual({ flavour: "valkey", version: "8.1.1" });
  });

  test("is unknown when something else answers", () => {
    expect(parseServerIdentity("v24.21.0")).toBeUndefined();
  });

  test("fits a version name by flavour, major and minor number", () => {
    expect(isSameVersion("redis-8.6", { flavour: "redis", version: "8.6.3" })).toBe(true);
    expect(isSameVersion("redis-8.0", { flavour: "redis", version: "8.6.3" })).toBe(false);
    expect(isSameVersion("redis-8.0", { flavour: "valkey", version: "8.0.1" })).toBe(false);
  });
});
