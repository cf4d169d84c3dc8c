import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeEach, describe, expect, test } from "vitest";
import { whyNoDebian } from "../src/servers/debian-cache.ts";

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL("../scripts/fetch-server.sh", import.meta.url));

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "rbt-fetch-"));
  mkdirSync(join(root, "bin"));
  return () => rmSync(root, { recursive: true, force: true });
});

/** Stands in for a Debian tool: notes each call, then runs a few lines of shell. */
function fake(name: string, lines: string): void {
  const script = `#!/bin/sh\necho "${name} $*" >> "${root}/calls"\n${lines}\n`;
  writeFileSync(join(root, "bin", name), script, { mode: 0o755 });
}

function fakeDebian(): void {
  fake(
    "apt-get",
    'case "$*" in indextargets*) echo https://mirror.test/debian/ ;; *download*) touch server.deb ;; esac',
  );
  fake("apt-cache", "printf 'redis-tools\\n  Depends: libc6\\n  Depends: adduser\\nlibc6\\n'");
  const unpack = [
    'mkdir -p "$3/usr/bin" "$3/usr/lib/x86_64-linux-gnu"',
    'printf "#!/bin/sh\\nshift 2; exec \\"\\$@\\"\\n" > "$3/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"',
    'chmod +x "$3/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"',
    'touch "$3/usr/lib/x86_64-linux-gnu/libc.so.6"',
    'printf "#!/bin/sh\\necho Redis server v=9.9.9\\n" > "$3/usr/bin/redis-server"',
    'chmod +x "$3/usr/bin/redis-server"',
  ];
  fake("dpkg", unpack.join("\n"));
}

function fetch(env: Record<string, string> = {}): Promise<{ stdout: string; stderr: string }> {
  const path = `${join(root, "bin")}:${process.env["PATH"]}`;
  const args = [SCRIPT, "trixie,sid", "redis", join(root, "cache", "redis-9.9")];
  return run("bash", args, { env: { ...process.env, DEBIAN_MIRROR: "", ...env, PATH: path } });
}

const calls = () => readFileSync(join(root, "calls"), "utf8");

// The fakes stand in for apt and dpkg; bash and flock are real.
const missing = whyNoDebian(process.env["PATH"]);
const why = missing === undefined ? "" : `: skipped, ${missing}`;

describe.skipIf(missing !== undefined)(`fetching a server of Debian${why}`, () => {
  test("yields a program that runs under its own loader, and fetches what it depends on", async () => {
    fakeDebian();
    const { stdout, stderr } = await fetch();
    expect(stdout.trim()).toBe(join(root, "cache", "redis-9.9", "bin", "redis-server"));
    expect(stderr).toContain("fetching redis-server of Debian trixie");
    expect((await run(stdout.trim(), ["--version"])).stdout).toBe("Redis server v=9.9.9\n");
    expect(calls()).toContain("download redis-tools libc6 redis-server");
    expect(stderr).not.toContain("mirror.test");
  });

  test("happens once when several ask at the same time", async () => {
    fakeDebian();
    const results = await Promise.all([fetch(), fetch(), fetch(), fetch()]);
    expect(new Set(results.map(({ stdout }) => stdout)).size).toBe(1);
    expect(results.filter(({ stderr }) => stderr.includes("fetching")).length).toBe(1);
    expect(calls().match(/-qq update/g)?.length).toBe(1);
  });

  test("that broke off leaves nothing that looks complete, and is made good by the next", async () => {
    fakeDebian();
    fake("dpkg", "exit 1");
    await expect(fetch()).rejects.toThrow("Command failed");
    expect(existsSync(join(root, "cache", "redis-9.9"))).toBe(false);
    fakeDebian();
    expect((await fetch()).stdout.trim()).toMatch(/redis-server$/);
  });

  test("asks for DEBIAN_MIRROR where the machine's sources name no mirror", async () => {
    fakeDebian();
    fake("apt-get", "exit 0");
    await expect(fetch()).rejects.toThrow("name one in DEBIAN_MIRROR");
    fakeDebian();
    await fetch({ DEBIAN_MIRROR: "https://other.test/debian" });
    expect(calls().match(/indextargets/g)?.length).toBe(1);
  });
});
