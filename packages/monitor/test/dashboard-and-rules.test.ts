/** The Grafana dashboard and the alert rules ask for metrics and labels that there are; promtool agrees, where it is. */
import { execFile, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createScratchFolder, findPromtool, removeScratchFolder } from "@redis-batch/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { METRICS, MonitorTally, toPrometheus } from "../src/index.ts";
import { consumerReport, groupReport, monitorReport } from "./report-samples.ts";

const file = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const RULES = file("alerts/redis-batch.rules.yml");
const RULE_TESTS = file("alerts/redis-batch.rules.test.yml");
const DASHBOARD = file("dashboards/redis-batch.grafana.json");

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const rules = (parse(readFileSync(RULES, "utf8")) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);
const dashboard = JSON.parse(readFileSync(DASHBOARD, "utf8")) as Dashboard;
const targets = dashboard.panels.flatMap(({ title, targets: all = [] }) =>
  all.map(({ refId, expr, legendFormat }) => ({ title: `${title} ${refId}`, expr, legendFormat })),
);

/** What Prometheus itself adds to every series. */
const ADDED_LABELS = ["instance", "job"];

/** The metrics an expression asks for that do not exist, and labels it asks them for that they do not have. */
function unknownIn(expression: string): string[] {
  const used = [...expression.matchAll(/\bredis_batch_[a-z0-9_]+/g)].map(([name]) => name);
  const metrics = METRICS.filter(({ name }) => used.includes(name));
  const known = new Set([...metrics.flatMap(({ labels }) => labels), ...ADDED_LABELS]);
  const selectors = [...expression.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside = ""]) =>
    [...inside.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = ""]) => label),
  );
  const groupings = [...expression.matchAll(/\b(?:by|on|without|ignoring) \(([^)]*)\)/g)].flatMap(([, inside = ""]) =>
    inside.split(",").map((label) => label.trim()),
  );
  return [
    ...(used.length === 0 ? ["no metric at all"] : []),
    ...used.filter((name) => !METRICS.some((metric) => metric.name === name)),
    ...[...selectors, ...groupings].filter((label) => !known.has(label)),
  ];
}

/** Values of state labels an expression selects that no report ever has. */
function unknownStatesIn(expression: string): string[] {
  const states = new Set(
    [...toPrometheus(monitorReport()).matchAll(/(?:health|status)="([a-z_]+)"/g)].map(([, state = ""]) => state),
  );
  const asked = [...expression.matchAll(/\b(?:health|status)="([^"]*)"/g)].map(([, state = ""]) => state);
  return asked.filter((state) => !states.has(state));
}

describe("the alert rules", () => {
  it.each(rules)("$alert asks for what there is", ({ expr, annotations }) => {
    expect(unknownIn(expr)).toEqual([]);
    expect(unknownStatesIn(expr)).toEqual([]);
    const templated = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label = ""]) => label);
    for (const label of templated) expect(expr).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`));
  });

  it("have names of their own, a severity, and words for the person who is woken", () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, labels, annotations } of rules) {
      expect(alert).toMatch(/^RedisBatch[A-Z][A-Za-z]+$/);
      expect(["critical", "warning", "info"]).toContain(labels["severity"]);
      expect(Object.keys(annotations)).toEqual(["summary", "description"]);
    }
  });

  it("each have a test", () => {
    const tested = [...readFileSync(RULE_TESTS, "utf8").matchAll(/alertname: (\w+)/g)].map(([, name]) => name);
    expect([...new Set(tested)].toSorted(compare)).toEqual(rules.map(({ alert }) => alert).toSorted(compare));
  });
});

describe("the dashboard", () => {
  it.each(targets)("$title asks for what there is", ({ expr, legendFormat }) => {
    expect(unknownIn(expr)).toEqual([]);
    expect(unknownStatesIn(expr)).toEqual([]);
    const legend = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label);
    const known = [
      ...METRICS.filter(({ name }) => expr.includes(name)).flatMap(({ labels }) => labels),
      ...ADDED_LABELS,
    ];
    for (const label of legend) expect(known).toContain(label);
  });

  it("uses only variables it has, and theirs ask for what there is", () => {
    const names = dashboard.templating.list.map(({ name }) => name);
    expect(names).toEqual(["datasource", "stream", "group"]);
    for (const { expr } of targets) {
      const used = [...expr.matchAll(/\$(?!__)\{?(\w+)/g)].map(([, name]) => name);
      for (const name of used) expect(names).toContain(name);
    }
    for (const { definition } of dashboard.templating.list.slice(1)) expect(unknownIn(definition ?? "")).toEqual([]);
  });

  it("has panels with ids of their own that do not lie upon each other", () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });

  it("shows every metric, but for flags (the health of a paused group says so) and settings of little use over time", () => {
    const shown = targets.map(({ expr }) => expr).join("\n");
    const hidden = METRICS.map(({ name }) => name).filter((name) => !shown.includes(name));
    expect(hidden).toEqual([
      "redis_batch_group_paused",
      "redis_batch_group_paused_timestamp_seconds",
      "redis_batch_group_pause_not_obeyed_consumers",
      "redis_batch_group_rate_limited_consumers",
      "redis_batch_group_backlog_is_lower_bound",
      "redis_batch_consumer_foreign",
      "redis_batch_consumer_inactive_seconds",
      "redis_batch_consumer_lease_seconds",
      "redis_batch_monitor_connected",
      "redis_batch_monitor_leading",
    ]);
  });
});

const promtool = await findPromtool();
const why = "path" in promtool ? "" : `: skipped, ${promtool.skipReason}`;
const run = promisify(execFile);

describe.skipIf(!("path" in promtool))(`promtool${why}`, () => {
  const path = "path" in promtool ? promtool.path : "";

  it("takes the alert rules", async () => {
    const { stdout } = await run(path, ["check", "rules", RULES]);
    expect(stdout).toContain(`SUCCESS: ${rules.length} rules found`);
  });

  it("finds the rules' own tests passed, and would find them failed", async () => {
    const { stdout } = await run(path, ["test", "rules", RULE_TESTS]);
    expect(stdout).toContain("SUCCESS");
    const folder = createScratchFolder();
    onTestFinished(() => removeScratchFolder(folder));
    const blunted = readFileSync(RULES, "utf8").replaceAll(/\bfor: \w+/g, "for: 3h");
    await writeFile(`${folder}/redis-batch.rules.yml`, blunted);
    await writeFile(`${folder}/tests.yml`, readFileSync(RULE_TESTS, "utf8"));
    await expect(run(path, ["test", "rules", `${folder}/tests.yml`])).rejects.toMatchObject({ code: 1 });
  });

  it("takes every expression of the dashboard", async () => {
    const folder = createScratchFolder();
    onTestFinished(() => removeScratchFolder(folder));
    // Grafana fills in its variables before Prometheus sees them.
    const filled = targets.map(({ expr }) => expr.replaceAll("$__rate_interval", "5m"));
    const recorded = filled.map((expr, at) => ({ record: `dashboard:${at}`, expr }));
    await writeFile(`${folder}/dashboard.yml`, JSON.stringify({ groups: [{ name: "dashboard", rules: recorded }] }));
    const { stdout } = await run(path, ["check", "rules", `${folder}/dashboard.yml`]);
    expect(stdout).toContain(`SUCCESS: ${targets.length} rules found`);
  });

  it("finds nothing to say against the metrics, whatever the names", async () => {
    const hostile = 'a "quoted"\\name\nwith\0every\uD800thing';
    const tally = new MonitorTally(hostile);
    const consumers = [consumerReport({ consumer: hostile })];
    const report = monitorReport({ stream: hostile, groups: [groupReport({ group: hostile, consumers })] });
    const check = spawn(path, ["check", "metrics"], { stdio: "pipe" });
    check.stdin.end(toPrometheus(report, { tally }));
    const said = await Promise.all([text(check.stdout), text(check.stderr)]);
    expect(said).toEqual(["", ""]);
    expect(check.exitCode ?? 0).toBe(0);
  });
});

const compare = (one: string | undefined, other: string | undefined): number => (one ?? "").localeCompare(other ?? "");
