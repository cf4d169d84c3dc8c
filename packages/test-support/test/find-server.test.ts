import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { findServer, NoServerError } from "../src/index.ts";

/** A folder as the whole PATH, to be filled with programs. */
let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "rbt-path-"));
  return () => rmSync(path, { recursive: true, force: true });
});

function install(name: string, says: string): string {
  const program = join(path, name);
  writeFileSync(program, `#!/bin/sh\necho "${says}"\n`, { mode: 0o755 });
  return program;
}

// No socket is there: Docker is out of the question wherever this runs.
const bare = () => ({ PATH: path, DOCKER_HOST: `unix://${path}/docker.sock` });

describe("a server for the tests", () => {
  test("is the shared one when REDIS_BATCH_TEST_URL names it, whatever is installed", async () => {
    install("redis-server", "Redis server v=8.6.3");
    const env = { ...bare(), REDIS_BATCH_TEST_URL: "redis://db:6379", REDIS_BATCH_TEST_SERVER: "redis-7.0" };
    expect(await findServer({ env })).toEqual({ kind: "external", url: "redis://db:6379" });
  });

  test("is the one of the PATH, Redis before Valkey", async () => {
    const valkey = install("valkey-server", "Valkey server v=8.1.1");
    expect(await findServer({ env: bare() })).toEqual({
      kind: "binary",
      path: valkey,
      flavour: "valkey",
      version: "8.1.1",
    });
    const redis = install("redis-server", "Redis server v=7.2.5");
    expect(await findServer({ env: bare() })).toMatchObject({ path: redis, flavour: "redis", version: "7.2.5" });
  });

  test("is the program that REDIS_BATCH_TEST_SERVER names, if it is one", async () => {
    install("redis-server", "Redis server v=7.2.5");
    const named = install("my-server", "Redis server v=8.8.1");
    const env = { ...bare(), REDIS_BATCH_TEST_SERVER: named };
    expect(await findServer({ env })).toMatchObject({ path: named, version: "8.8.1" });
    const missing = { ...env, REDIS_BATCH_TEST_SERVER: `${named}-gone` };
    await expect(findServer({ env: missing })).rejects.toThrow("which is not an executable file");
    const other = { ...env, REDIS_BATCH_TEST_SERVER: install("node", "v24.21.0") };
    await expect(findServer({ env: other })).rejects.toThrow("is not a Redis or Valkey server: v24.21.0");
  });

  test("of a named version is the one of the PATH when that is the same version", async () => {
    const redis = install("redis-server", "Redis server v=8.6.9");
    const env = { ...bare(), REDIS_BATCH_TEST_SERVER: "redis-8.6" };
    expect(await findServer({ env })).toMatchObject({ path: redis });
  });

  test("of an asked-for version goes before both variables", async () => {
    const redis = install("redis-server", "Redis server v=8.6.9");
    const env = { ...bare(), REDIS_BATCH_TEST_URL: "redis://db:6379", REDIS_BATCH_TEST_SERVER: "redis-7.0" };
    expect(await findServer({ env, version: "redis-8.6" })).toMatchObject({ path: redis });
  });

  test("that is nowhere is an error that says what to install", async () => {
    const failure = findServer({ env: bare() });
    await expect(failure).rejects.toBeInstanceOf(NoServerError);
    await expect(failure).rejects.toThrow(
      /Install one \(apt-get install redis-server, .*REDIS_BATCH_TEST_URL.*Docker/s,
    );
  });

  test("of a named version that is nowhere is an error that says what is there instead", async () => {
    install("redis-server", "Redis server v=7.2.5");
    await expect(findServer({ env: bare(), version: "valkey-9.1" })).rejects.toThrow(
      /No valkey-9.1 to test against. On the PATH: redis 7.2.5. Debian packages: no bash, apt-get/,
    );
  });

  test("of an unknown name is an error that lists the known ones", async () => {
    const env = { ...bare(), REDIS_BATCH_TEST_SERVER: "redis-9.9" };
    await expect(findServer({ env })).rejects.toThrow(/"redis-9.9"; it takes redis-7.0, redis-8.0/);
  });
});
