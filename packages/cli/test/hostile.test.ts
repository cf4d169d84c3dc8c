/** Names and payloads that try to be more than that: orders to a terminal, options, parts of JavaScript, walls of text. */
import { uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { displayWidth } from "../src/render/width.ts";
import { expectEnd, expectNoControls, expectSameContent, ndjson, useCli } from "./cli.ts";

const redis = useServer();
const cli = useCli(redis);

const NAMES: readonly string[] = [
  "--help",
  "-n",
  "__proto__",
  "constructor",
  "toString",
  "\u001b]0;owned\u0007\u001b[2J\u009b31m",
  "line\nbreak\r\ttab",
  "right\u202eto left\u2066\u200b",
  "日本語 ü é\u0301 😀",
  "\\u001b\\n \"quoted\" 'too' $(reboot) `reboot` | % :",
  "7",
  "long".repeat(500),
];

/** Whether all lines of a block of the table have their columns at the same places. */
function expectAligned(table: string): void {
  const [head = "", ...rows] = table.trimEnd().split("\n\n").at(-1)?.split("\n") ?? [];
  expect(rows.length).toBeGreaterThan(0);
  // Where the last heading begins, or a number that stands under it to the right.
  const last = displayWidth(head.slice(0, head.lastIndexOf("  ") + 2));
  for (const row of rows) {
    const characters = Array.from(row);
    let [at, width] = [0, 0];
    while (width < last - 2) width += displayWidth(characters[at++] ?? " ");
    const gap = characters
      .slice(at)
      .join("")
      .replace(/^[\u0300-\u036f]+/, "")
      .slice(0, 2);
    expect([row, gap]).toEqual([row, "  "]);
  }
}

/** Names and values of the one message, in their order. */
function pairsOf(lines: string): readonly string[] {
  return ndjson(lines).flatMap(({ fields }) => (fields as [string, string][]).flat());
}

describe("hostile names", () => {
  it("are shown escaped in tables that stay straight, and whole in JSON", async () => {
    const stream = `--${uniqueName("hostile")}\u001b[2J\n`;
    const dead = `rb:{${stream}}:dead:${stream}:__proto__`;
    await redis.server.command("XGROUP", "CREATE", stream, "__proto__", "0", "MKSTREAM");
    for (const [at, name] of NAMES.entries()) {
      await redis.server.command("XADD", stream, `1-${at + 1}`, name, name, "n", at);
      await redis.server.command("XREADGROUP", "GROUP", "__proto__", name, "COUNT", 1, "STREAMS", stream, ">");
      const history = [
        "id",
        `1-${at + 1}`,
        "consumer",
        name,
        "deliveries",
        "1",
        "reason",
        name,
        "error",
        name,
        "at",
        "1",
      ];
      const letter = history.map((word, index) => (index % 2 === 0 ? `dead.${word}` : word));
      await redis.server.command("XADD", dead, `1-${at + 1}`, name, name, ...letter);
      if (name !== "__proto__") await redis.server.command("XGROUP", "CREATE", stream, name, "0");
    }
    const listed: readonly (readonly [words: readonly string[], list: string, column: string])[] = [
      [["groups", "--", stream], "groups", "group"],
      [["consumers", "--", stream, "__proto__"], "consumers", "consumer"],
      [["pending", "--", stream, "__proto__"], "messages", "consumer"],
      [["monitor", "--", stream, "__proto__"], "consumers", "consumer"],
      [["dead-letters", "list", "--", stream, "__proto__"], "letters", "reason"],
    ];
    for (const [words, list, column] of listed) {
      const [table, json] = await Promise.all([
        cli.run(words),
        cli.run([
          ...words.slice(0, -words.length + words.indexOf("--")),
          "--json",
          ...words.slice(words.indexOf("--")),
        ]),
      ]);
      expectEnd(table, 0);
      expectNoControls(table.stdout);
      expectNoControls(json.stdout);
      const report = JSON.parse(json.stdout) as Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
      expect(report[list]?.map((row) => row[column]).toSorted()).toEqual(NAMES.toSorted());
      if (list !== "consumers") expectSameContent(table.stdout, report);
      expectAligned(table.stdout);
    }
    const last = NAMES.length;
    const shown = await cli.run(["dead-letters", "show", "--", stream, "__proto__", `1-${last - 2}`]);
    expectEnd(shown, 0);
    expectNoControls(shown.stdout);
  });

  it("are read, worked on and written like any other", async () => {
    const [stream, copy] = ["--help", "constructor"].map((name) => `${name}${uniqueName("x")}`) as [string, string];
    const raw = NAMES.flatMap((name) => [name, name]);
    await redis.server.command("XADD", stream, "1-1", ...raw);
    const tailed = await cli.run(["tail", "--json", "--", stream]);
    expectNoControls(tailed.stdout);
    expect(pairsOf(tailed.stdout)).toEqual(raw);
    expectEnd(await cli.run(["produce", copy], { input: tailed.stdout }), 0);
    const consumed = await cli.run([
      ...["consume", "--create=start", "--count=1", "--name=__proto__", "--max-wait=10ms", "--", copy, "toString"],
    ]);
    expectEnd(consumed, 0);
    expectNoControls(consumed.stdout);
    expect(pairsOf(consumed.stdout)).toEqual(raw);
    const command = [
      "consume",
      "--create=start",
      "--count=1",
      "--exec=cat",
      "--max-wait=10ms",
      "--",
      copy,
      "$(reboot)\n",
    ];
    expect(ndjson((await cli.run(command)).stdout)).toHaveLength(1);
  });
});

describe("huge messages", () => {
  it("of 10 MiB, and of 3,000 fields, come through whole, and are shown short", async () => {
    const [stream, copy] = [uniqueName("huge"), uniqueName("copy")];
    const big = "é\u001b".repeat(Math.floor(10_485_760 / 3));
    const many = Array.from({ length: 3_000 }, (_, n) => [`field-${n}`, `value ${n}`]).flat();
    await redis.server.command("XADD", stream, "1-1", "big", big);
    await redis.server.command("XADD", stream, "1-2", ...many);
    const piped = await cli.shell(`set -o pipefail; rb tail ${stream} --json | rb produce ${copy}`);
    expectEnd(piped, 0, "added       2");
    const entries = (await redis.server.command("XRANGE", copy, "-", "+")) as [string, string[]][];
    expect(entries.map(([, fields]) => fields.length)).toEqual([2, 6_000]);
    expect(entries[0]?.[1][1] === big).toBe(true);
    expect(entries[1]?.[1]).toEqual(many);
    const consumed = await cli.run(["consume", copy, "g", "--create", "start", "--count", "2", "--max-wait", "1s"]);
    expectEnd({ ...consumed, stdout: "" }, 0);
    expect(ndjson(consumed.stdout).map(({ fields }) => Object.keys(fields as object).length)).toEqual([1, 3_000]);
    const peeked = await cli.run(["peek", stream]);
    expectEnd({ ...peeked, stdout: "" }, 0);
    expectNoControls(peeked.stdout);
    expect(peeked.stdout.slice(0, 2_500)).toContain(`(${Buffer.byteLength(big)} bytes)`);
    await redis.server.command("DEL", stream, copy);
  });
});

describe("ids that tell a time beyond the range of dates", () => {
  it("are shown and worked on like any other, without a time", async () => {
    const [stream, group] = [uniqueName("late"), "g"];
    const dead = `rb:{${stream}}:dead:${stream}:${group}`;
    await redis.server.command("XGROUP", "CREATE", stream, group, "0", "MKSTREAM");
    const ids = ["8640000000000001-0", "18446744073709551614-7", "18446744073709551615-18446744073709551614"];
    for (const id of ids) await redis.server.command("XADD", stream, id, "n", "1");
    await redis.server.command("XREADGROUP", "GROUP", group, "c", "COUNT", 1, "STREAMS", stream, ">");
    const history = [
      "id",
      ids[0],
      "consumer",
      "c",
      "deliveries",
      "1",
      "reason",
      "r",
      "error",
      "",
      "at",
      "9".repeat(30),
    ];
    const letter = history.map((word, index) => (index % 2 === 0 ? `dead.${word}` : String(word)));
    await redis.server.command("XADD", dead, String(ids[1]), "n", "1", ...letter);
    const looks = [
      ...[["streams"], ["groups", stream], ["consumers", stream, group], ["pending", stream, group]],
      ...[
        ["peek", stream],
        ["tail", stream],
        ["dead-letters", "list", stream, group],
        ["monitor", stream, group],
      ],
      ...[
        ["check", stream, group],
        ["doctor", stream, group],
        ["scale", stream, group],
        ["cleanup", stream, group],
      ],
      ["trim", stream],
    ];
    for (const words of looks) {
      for (const more of [[], ["--json"]]) {
        const { code, stdout, stderr } = await cli.run([...words, ...more]);
        expect(`${words.join(" ")}: ${stderr}`).not.toMatch(/Invalid|RangeError|date/i);
        expect(stdout).not.toMatch(/Invalid Date|NaN/);
        // A warning or a finding is an answer; anything else would be a fault.
        expect([words, code].flat()).toEqual([...words, expect.toSatisfy((end: number) => [0, 1, 2].includes(end))]);
      }
    }
    const consumed = await cli.run(["consume", "--count=2", "--max-wait=10ms", stream, group]);
    expectEnd(consumed, 0);
    expect(ndjson(consumed.stdout).map(({ id }) => id)).toEqual(ids.slice(1));
  });
});
