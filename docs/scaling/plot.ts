/** Draws how many consumers each policy kept over a trace, one above the other, at the same scale. */

import { element, label, picture, stepPath } from "../../scripts/lib/svg.ts";

/** How many consumers there were from a moment on. */
export interface Level {
  readonly at: number;
  readonly consumers: number;
}

export interface Panel {
  readonly policy: string;
  /** The result, in a few words. */
  readonly outcome: string;
  readonly levels: readonly Level[];
}

const WIDTH = 760;
const LEFT = 34;
const RIGHT = 12;
const TOP = 40;
const PANEL = 84;
const GAP = 30;
const BOTTOM = 26;

const STYLE = [
  "text{font:12px system-ui,sans-serif;fill:#1f2328}",
  ".quiet{fill:#59636e}",
  ".title{font-weight:600;font-size:14px}",
  ".grid{stroke:#d1d9e0;stroke-width:1}",
  ".line{fill:none;stroke:#0969da;stroke-width:1.5}",
  ".area{fill:#0969da;fill-opacity:.15}",
  "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.quiet{fill:#9198a1}.grid{stroke:#3d444d}",
  ".line{stroke:#4493f8}.area{fill:#4493f8;fill-opacity:.2}}",
].join("");

/** @param seconds how long the trace is */
export function drawConsumers(title: string, seconds: number, panels: readonly Panel[]): string {
  const most = Math.max(1, ...panels.flatMap(({ levels }) => levels.map(({ consumers }) => consumers)));
  const x = (at: number): number => LEFT + (at / seconds) * (WIDTH - LEFT - RIGHT);
  const height = TOP + panels.length * (PANEL + GAP) - GAP + BOTTOM;
  const drawn = panels.map((panel, index) => drawPanel(panel, TOP + index * (PANEL + GAP), most, x, seconds));
  const hours = Array.from({ length: Math.floor(seconds / 1_800) + 1 }, (_, index) =>
    label(`${index * 30} min`, {
      x: x(index * 1_800),
      y: height - 8,
      class: "quiet",
      "text-anchor": index === 0 ? "start" : x(index * 1_800) > WIDTH - 2 * RIGHT ? "end" : "middle",
    }),
  );
  return picture(
    WIDTH,
    height,
    `${title}: consumers over time`,
    STYLE,
    label(title, { x: LEFT, y: 16, class: "title" }),
    ...drawn,
    ...hours,
  );
}

function drawPanel(
  { policy, outcome, levels }: Panel,
  top: number,
  most: number,
  x: (at: number) => number,
  seconds: number,
): string {
  const base = top + PANEL;
  const y = (consumers: number): number => base - (consumers / most) * (PANEL - 8);
  const points = [...levels, { at: seconds, consumers: levels.at(-1)?.consumers ?? 0 }].map(
    ({ at, consumers }) => [x(at), y(consumers)] as const,
  );
  const line = stepPath(points);
  const grid = (consumers: number): string =>
    element("path", { d: `M${LEFT} ${y(consumers).toFixed(1)}H${WIDTH - RIGHT}`, class: "grid" });
  const tick = (consumers: number): string =>
    label(`${consumers}`, { x: LEFT - 6, y: y(consumers) + 4, class: "quiet", "text-anchor": "end" });
  const half = Math.round(most / 2);
  return [
    ...[0, half, most].flatMap((consumers) => [grid(consumers), tick(consumers)]),
    element("path", { d: `${line}V${base}H${LEFT}Z`, class: "area" }),
    element("path", { d: line, class: "line" }),
    label(policy, { x: LEFT, y: top - 4 }),
    label(outcome, { x: WIDTH - RIGHT, y: top - 4, class: "quiet", "text-anchor": "end" }),
  ].join("");
}
