import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeEach, describe, expect, test } from "vitest";
import { whyNoDebian } from "../src/servers/debian-cache.ts";
import { findPromtool } from "../src/servers/find-promtool.ts";

const run = promisify(execFile);
const scriptPath = (name: string): string => fileURLToPath(new URL(`../scripts/${name}`, import.meta.url));

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
  return runScript(["fetch-server.sh", "trixie,sid", "redis", join(root, "cache", "redis-9.9")], env);
}

function runScript([name = "", ...args]: string[], env: Record<string, string> = {}) {
  const path = `${join(root, "bin")}:${process.env["PATH"]}`;
  return run("bash", [scriptPath(name), ...args], { env: { ...process.env, DEBIAN_MIRROR: "", ...env, PATH: path } });
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

describe.skipIf(missing !== undefined)(`fetching promtool of Debian${why}`, () => {
  test("yields the program alone, once", async () => {
    fakeDebian();
    fake(
      "apt-get",
      'case "$*" in indextargets*) echo https://mirror.test/debian/ ;; *download*) touch prometheus_9.deb ;; esac',
    );
    const unpack = [
      'mkdir -p "$3/usr/bin"',
      'printf "#!/bin/sh\\necho promtool 9\\n" > "$3/usr/bin/promtool"',
      'chmod +x "$3/usr/bin/promtool"',
    ];
    fake("dpkg", unpack.join("\n"));
    const folder = join(root, "cache", "promtool");
    const results = await Promise.all([1, 2].map(() => runScript(["fetch-promtool.sh", folder])));
    expect(results.map(({ stdout }) => stdout.trim())).toEqual([join(folder, "promtool"), join(folder, "promtool")]);
    expect((await run(join(folder, "promtool"))).stdout).toBe("promtool 9\n");
    expect(readdirSync(folder)).toEqual(["promtool"]);
    expect(calls().match(/download prometheus/g)?.length).toBe(1);
  });

  test("is done without when it fails, and the reason is reported", async () => {
    fake("apt-get", "echo no network >&2; exit 7");
    await expect(
      runScript(["fetch-promtool.sh", join(root, "promtool")], { DEBIAN_MIRROR: "https://x" }),
    ).rejects.toThrow("no network");
  });
});

describe("findPromtool", () => {
  test("takes the program it is given, or says that there is none", async () => {
    fake("promtool-of-mine", "exit 0");
    const path = join(root, "bin", "promtool-of-mine");
    expect(await findPromtool({ REDIS_BATCH_PROMTOOL: path })).toEqual({ path });
    await expect(findPromtool({ REDIS_BATCH_PROMTOOL: join(root, "nowhere") })).rejects.toThrow(
      "not an executable file",
    );
  });

  test("takes the one on the PATH", async () => {
    fake("promtool", "exit 0");
    expect(await findPromtool({ PATH: join(root, "bin") })).toEqual({ path: join(root, "bin", "promtool") });
  });
});
