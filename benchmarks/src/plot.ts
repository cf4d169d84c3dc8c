/** Draws a run: how far each figure is from its target, and what a message costs whom. */
import { element, label, picture } from "../../scripts/lib/svg.ts";
import { targetText } from "./render.ts";
import { distanceTo, type Row } from "./rows.ts";

export interface NamedScenario {
  readonly name: string;
  readonly what: string;
  readonly oursName: string;
  readonly referenceName: string;
}

const WIDTH = 760;
const LEFT = 330;
const RIGHT = 20;
const TOP = 48;
const LINE = 24;
const BOTTOM = 30;

const STYLE = [
  "text{font:12px system-ui,sans-serif;fill:#1f2328}",
  ".quiet{fill:#59636e}",
  ".title{font-weight:600;font-size:14px}",
  ".grid{stroke:#d1d9e0;stroke-width:1}",
  ".limit{stroke:#59636e;stroke-width:1.5}",
  ".good{fill:#1a7f37;stroke:#1a7f37}.bad{fill:#cf222e;stroke:#cf222e}",
  ".range{stroke-width:2}.unsure{opacity:.4}",
  ".client{fill:#0969da}.server{fill:#8250df}",
  "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.quiet{fill:#9198a1}.grid{stroke:#3d444d}.limit{stroke:#9198a1}",
  ".good{fill:#3fb950;stroke:#3fb950}.bad{fill:#f85149;stroke:#f85149}.client{fill:#4493f8}.server{fill:#ab7df8}}",
].join("");

/** The range and the middle of each figure that has a target, as multiples of it: left of the line it is met. */
export function drawTargets(rows: readonly Row[]): string {
  const drawn = rows.flatMap((row) => {
    const { target } = row;
    const measured = target === null ? null : row[target.of];
    if (target === null || measured === null) return [];
    const { min, median, max } = measured;
    const ends = [min, max].map((value) => Math.max(0, distanceTo(target, value)));
    return [{ row, target, median: distanceTo(target, median), least: Math.min(...ends), most: Math.max(...ends) }];
  });
  const height = TOP + drawn.length * LINE + BOTTOM;
  const x = logScale([0.125, 8]);
  const ticks = [0.125, 0.25, 0.5, 1, 2, 4, 8];
  const base = height - BOTTOM;
  return picture(
    WIDTH,
    height,
    "How far each figure is from its target",
    STYLE,
    label("How far from the target", { x: 8, y: 18, class: "title" }),
    label("← met", { x: x(1) - 8, y: 36, class: "quiet", "text-anchor": "end" }),
    label("missed →", { x: x(1) + 8, y: 36, class: "quiet" }),
    ...ticks.flatMap((tick) => [
      element("path", { d: `M${at(x(tick))} ${TOP - 4}V${base}`, class: tick === 1 ? "limit" : "grid" }),
      label(tick < 1 ? `1/${1 / tick}` : `${tick}×`, {
        x: at(x(tick)),
        y: base + 16,
        class: "quiet",
        "text-anchor": "middle",
      }),
    ]),
    ...drawn.map(({ row, target, median, least, most }, index) => {
      const y = TOP + index * LINE + LINE / 2;
      const classes = `${row.met === true ? "good" : "bad"}${row.noisy ? " unsure" : ""}`;
      return [
        label(row.scenario, { x: 8, y: y + 4 }),
        label(`${row.metric}, ${targetText(target)}`, { x: LEFT - 12, y: y + 4, class: "quiet", "text-anchor": "end" }),
        element("path", { d: `M${at(x(least))} ${y}H${at(x(most))}`, class: `${classes} range` }),
        element("circle", { cx: at(x(median)), cy: y, r: 4, class: classes }),
      ].join("");
    }),
    label("pale: noisy", { x: 8, y: base + 16, class: "quiet" }),
  );
}

/** Client and server CPU per message, ours above the reference. */
export function drawCosts(rows: readonly Row[], scenarios: readonly NamedScenario[]): string {
  const bars = scenarios.flatMap(({ name, oursName, referenceName }) => {
    const client = rows.find(({ scenario, metric }) => scenario === name && metric === "client CPU µs/message");
    const server = rows.find(({ scenario, metric }) => scenario === name && metric === "server CPU µs/message");
    if (client === undefined || server === undefined) return [];
    return (["ours", "reference"] as const).map((who) => ({
      scenario: who === "ours" ? name : "",
      name: who === "ours" ? oursName : referenceName,
      client: client[who].median,
      server: Math.max(0, server[who].median),
    }));
  });
  const most = Math.max(1, ...bars.map(({ client, server }) => client + server));
  const width = (value: number): number =>
    (Math.min(value, CUT_MICROS, most) / Math.min(most, CUT_MICROS)) * (WIDTH - LEFT - 150);
  const height = TOP + bars.length * LINE + BOTTOM;
  return picture(
    WIDTH,
    height,
    "CPU microseconds per message, client and server",
    STYLE,
    label("CPU per message, µs", { x: 8, y: 18, class: "title" }),
    element("rect", { x: LEFT, y: 26, width: 10, height: 10, class: "client" }),
    label("client", { x: LEFT + 15, y: 35, class: "quiet" }),
    element("rect", { x: LEFT + 70, y: 26, width: 10, height: 10, class: "server" }),
    label("server", { x: LEFT + 85, y: 35, class: "quiet" }),
    ...bars.map((bar, index) => {
      const y = TOP + index * LINE + (index % 2 === 0 ? 4 : 0);
      const client = width(bar.client);
      const both = width(bar.client + bar.server);
      const cut = bar.client + bar.server > CUT_MICROS ? "… " : "";
      return [
        label(bar.scenario, { x: 8, y: y + 13 }),
        label(bar.name, { x: LEFT - 12, y: y + 13, class: "quiet", "text-anchor": "end" }),
        element("rect", { x: LEFT, y, width: at(client), height: 16, class: "client" }),
        element("rect", { x: at(LEFT + client), y, width: at(both - client), height: 16, class: "server" }),
        label(`${cut}${bar.client.toFixed(1)} + ${bar.server.toFixed(1)}`, {
          x: at(LEFT + both + 6),
          y: y + 13,
          class: "quiet",
        }),
      ].join("");
    }),
  );
}

/** Longer bars are cut, or the short ones would look the same. */
const CUT_MICROS = 100;

function logScale([least, most]: readonly [number, number]): (value: number) => number {
  const share = (value: number): number =>
    Math.log(Math.min(most, Math.max(least, value)) / least) / Math.log(most / least);
  return (value) => LEFT + share(value) * (WIDTH - LEFT - RIGHT);
}

const at = (value: number): number => Math.round(value * 10) / 10;
