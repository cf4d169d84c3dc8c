/** Policies on traces, without a server. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectEnd, expectSameContent, ndjson, needsTool, useCli } from "./cli.ts";

const cli = useCli();
const simulate = ["scale", "simulate"];
const LOAD = "time,rate\n0,20\n60,90\n120,20\n";

function traceFile(name: string, text: string): string {
  const path = join(cli.folder, name);
  writeFileSync(path, text);
  return path;
}

type Json = Readonly<Record<string, unknown>>;
const policiesOf = (json: Json) =>
  Object.fromEntries((json["policies"] as readonly Json[]).map((row): [string, Json] => [String(row["policy"]), row]));

describe("scale simulate", () => {
  it("lists traces and policies, and compares policies on one: the table holds what the JSON does", async () => {
    expect.hasAssertions();
    for (const args of [simulate, [...simulate, "sparse", "--policies", "keda-lag,ratio", "--seeds", "1,2"]]) {
      const table = await cli.run(args);
      expectEnd(table, 0);
      expectSameContent(table.stdout, await cli.json(args));
    }
  });

  it("tells what is published of a trace", async () => {
    const all = ndjson(readFileSync(new URL("../../../docs/scaling/results.ndjson", import.meta.url), "utf8"));
    const ofTrace = all.filter(({ scenario, seed }) => scenario === "sparse" && seed !== undefined);
    const seed = ofTrace[0]?.["seed"];
    const published = ofTrace.filter((row) => row["seed"] === seed);
    const json = await cli.json([...simulate, "sparse", "--seeds", String(seed)]);
    const told = policiesOf(json);
    expect(Object.keys(told)).toEqual(published.map(({ policy }) => policy));
    const oracle = published.find(({ policy }) => policy === "oracle");
    const rounded = (value: unknown): number => Math.round(100 * Number(value)) / 100;
    for (const { policy, messages, violationPercent, p99Seconds, consumerHours, ...counts } of published) {
      expect(told[String(policy)]).toEqual({
        ...{ policy, messages, latePercent: rounded(violationPercent), p99Ms: Math.round(1_000 * Number(p99Seconds)) },
        ...{ consumerHours: rounded(consumerHours), moves: counts["actions"] },
        ...{ reversals: counts["reversals"], killed: counts["killedInFlight"] },
        hoursByOracle: expect.closeTo(Number(consumerHours) / Number(oracle?.["consumerHours"]), 1) as number,
      });
    }
  });

  it("takes rates that were recorded: CSV, NDJSON, from a file or from standard input, all the same", async () => {
    const csv = traceFile("rates.csv", LOAD);
    const lines = [20, 90, 20].map((rate, minute) => {
      return JSON.stringify({ time: `2026-03-29T00:0${minute}:00+01:00`, rate });
    });
    const options = ["--consumer-rate", "10", "--batch-size", "1", "--max", "20", "--seeds", "7"];
    const { trace, ...told } = await cli.json([...simulate, csv, ...options]);
    expect(trace).toBe(csv);
    expect(told).toMatchObject({
      lengthMs: 180_000,
      maxConsumers: 20,
      firstConsumers: 3,
      consumerRate: 10,
      seeds: "7",
    });
    // A minute each of 20, 90 and 20 a second, nearly all of which are done.
    const { messages, consumerHours } = policiesOf(told)["oracle"] ?? {};
    expect(Math.abs(Number(messages) - 7_800)).toBeLessThan(600);
    expect(Number(consumerHours)).toBeGreaterThan(0.2);
    const { trace: _, ...same } = await cli.json([
      ...simulate,
      traceFile("rates.ndjson", lines.join("\n")),
      ...options,
    ]);
    expect(same).toEqual(told);
    const { trace: dash, ...piped } = await cli.json([...simulate, "-", ...options], { input: LOAD });
    expect([dash, piped]).toEqual(["-", told]);
  });

  it("does what the options say", async () => {
    const path = traceFile("steady.csv", "0,10\n600,10\n");
    const alone = ["--policies", "oracle", "--seeds", "1"];
    // As the help says of a file.
    expect(await cli.json([...simulate, path, ...alone])).toMatchObject({
      ...{ consumerRate: Math.round((100 * 20) / 1.1) / 100, startUpMs: 14_000, objectiveMs: 30_000 },
      ...{ minConsumers: 1, maxConsumers: 40, firstConsumers: 1 },
    });
    const still = await cli.json([...simulate, path, ...alone, "--min", "4", "--max", "4", "--work", "100ms"]);
    expect(still).toMatchObject({ minConsumers: 4, maxConsumers: 4, firstConsumers: 4, objectiveMs: 30_000 });
    expect(policiesOf(still)["oracle"]).toMatchObject({ consumerHours: 1.33, moves: 0, latePercent: 0 });
    const late = await cli.json([
      ...[...simulate, path, ...alone, "--max", "1", "--work", "2s", "--batch-overhead", "0", "--objective", "10s"],
    ]);
    expect(late).toMatchObject({ consumerRate: 0.5, objectiveMs: 10_000 });
    expect(Number(policiesOf(late)["oracle"]?.["latePercent"])).toBeGreaterThan(90);
    const begins = await cli.json([...simulate, "step", ...alone, "--first", "2", "--start-up", "5s", "--max", "3"]);
    expect(begins).toMatchObject({ firstConsumers: 2, startUpMs: 5_000, maxConsumers: 3 });
  });

  it("names the line that cannot be read, and what is said that cannot be", async () => {
    expect.hasAssertions();
    const bad = traceFile("bad.csv", "time,rate\n0,1\n\n60,\u001b[2Jlots\n");
    const back = traceFile("back.csv", "5,1\n5,2\n");
    const heading = traceFile("heading.csv", "0,1\ntime,rate\n");
    const long = traceFile("long.csv", `0,1\n${"9".repeat(20_000)}\n`);
    const refuse = async (args: readonly string[], ...says: readonly string[]): Promise<void> =>
      expectEnd(await cli.run([...simulate, ...args]), 2, ...says);
    const refuseInput = async (input: string, says: string): Promise<void> =>
      expectEnd(await cli.run([...simulate, "-"], { input }), 2, says);
    await Promise.all([
      refuse([bad], "line 4 is not a rate", '"60,\\e[2Jlots"', "messages per second"),
      refuse([back], "line 2 is not a rate: its time must be later than the line before"),
      refuse([heading], "line 2 is not a rate: a heading must come first"),
      refuse([long], "line 2 is not a rate: it is longer than 10000 bytes"),
      refuseInput("0,1\n", "two points at least"),
      refuseInput("0,1\n999999,1\n", "longer than 604800 s"),
      refuseInput("0,1e6\n60,1\n", "10000000 messages at most"),
      refuse([cli.folder], "cannot be read"),
      refuse(["brst"], "neither a built-in trace nor a file", "mean burst?"),
      refuse(["step", "--policies", "keda"], 'unknown policy "keda"', "--policies"),
      refuse(["step", "--seeds", "1,x"], "--seeds must be", "1,x"),
      refuse(["step", "--min", "9", "--max", "3"], "--min (9) must not be above"),
      refuse(["step", "--first", "41"], "--first (41) must be between"),
      refuse(["step", "--consumer-rate", "5", "--work", "1s"], "replaces --work and --batch-overhead"),
    ]);
  });

  it("shows how far it is on a terminal, and ends at once on Ctrl-C", async (context) => {
    needsTool(context, "script");
    const line = `'${process.execPath}' '${cli.bin}' scale simulate ramp`;
    const child = spawn("script", ["-qec", line, "/dev/null"], { env: { ...process.env, ...cli.env() } });
    let shown = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      // The first sign of progress; what is typed then is Ctrl-C.
      if (!shown.includes("runs done") && (shown + text).includes("runs done")) child.stdin.write("\u0003");
      shown += text;
    });
    const [code] = (await once(child, "exit")) as [number];
    expect(code).toBe(130);
    expect(shown).toMatch(/throughput, seed 1: \d+ %, 0 of 24 runs done/);
    expect(shown).not.toContain("LATE %");
  });
});
