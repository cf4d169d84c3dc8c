import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { duration, rate, time } from "./format.ts";

export interface Line {
  readonly name: string;
  /** A custom property of the style sheet. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
}

interface ChartProperties {
  readonly title: string;
  readonly atMs: readonly number[];
  readonly lines: readonly Line[];
  readonly unit: "count" | "ms" | "rate";
}

const HEIGHT = 170;
/** In seconds. */
const SHORTEST = 300;
const STEPS = [30, 60, 120, 300, 600, 900, 1_800, 3_600];

/** A chart over the last hour, or since there is data. What it shows now is said in words as well. */
export function Chart({ title, atMs, lines, unit }: ChartProperties) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const format = unit === "ms" ? duration : rate;
  const data = [atMs.map((ms) => ms / 1_000), ...lines.map(({ values }) => [...values])] as uPlot.AlignedData;
  const shown = useRef(data);
  shown.current = data;

  useEffect(() => {
    const element = holder.current;
    if (element === null) return;
    const draw = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(settingsOf(element, { lines, format, unit }), shown.current, element);
    };
    draw();
    const resizing = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    resizing.observe(element);
    // The canvas does not follow the style sheet by itself.
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    return () => {
      scheme.removeEventListener("change", draw);
      resizing.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);
  useEffect(() => plot.current?.setData(data), [data]);

  const since = time(atMs[0]).replace(/:\d\d$/, "");
  const now = lines.map(({ name, values }) => `${name} ${format(values.at(-1))}`).join(", ");
  return (
    <figure class="chart">
      <figcaption>
        <span class="title">
          {title} <span class="quiet">since {since}</span>
        </span>
        {lines.map(({ name, colour, values }) => (
          <span class="key" key={name}>
            <svg viewBox="0 0 10 10" aria-hidden="true" class={colour}>
              <rect width="10" height="10" rx="2" />
            </svg>
            {name} <b>{format(values.at(-1))}</b>
          </span>
        ))}
      </figcaption>
      <div class="plot" ref={holder} role="img" aria-label={`${title} since ${since}; now: ${now}`} />
    </figure>
  );
}

interface Drawn extends Pick<ChartProperties, "lines" | "unit"> {
  readonly format: (value: number) => string;
}

function settingsOf(element: HTMLElement, { lines, format, unit }: Drawn): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const axis = {
    stroke: () => colour("quiet-ink"),
    grid: { stroke: () => colour("hairline"), width: 1 },
    ticks: { show: false },
  };
  return {
    ...{ width: element.clientWidth, height: HEIGHT, padding: [8, 26, 0, 0] },
    cursor: { y: false, drag: { setScale: false } },
    legend: { show: false },
    scales: {
      // A few minutes at least: a minute as wide as the page looks like a story.
      x: { time: true, range: (_plot, min, max) => [Math.min(min, max - SHORTEST), max] },
      y: { range: (_plot, _min, max) => [0, Math.max(max, 1) * 1.08] },
    },
    axes: [
      {
        ...axis,
        size: 28,
        space: 74,
        incrs: STEPS,
        values: (_plot, ticks, _axis, _space, step) => ticks.map((tick) => hourOf(tick, step)),
      },
      {
        ...axis,
        ...wholeIf(unit === "count"),
        size: 62,
        space: 36,
        values: (_plot, ticks) => ticks.map((tick) => format(tick)),
      },
    ],
    series: [
      {},
      ...lines.map(({ name, colour: custom }) => ({
        ...{ label: name, width: 1.6, spanGaps: false, points: { show: false } },
        stroke: () => colour(custom),
        fill: () => `color-mix(in srgb, ${colour(custom)} 9%, transparent)`,
      })),
    ],
  };
}

/** There is no half of a message. */
const wholeIf = (isWhole: boolean): Pick<uPlot.Axis, "incrs"> =>
  isWhole ? { incrs: Array.from({ length: 36 }, (_, at) => ([1, 2, 5][at % 3] ?? 1) * 10 ** Math.floor(at / 3)) } : {};

function hourOf(seconds: number, step: number): string {
  const more = step < 60 ? ({ second: "2-digit" } as const) : {};
  return new Date(seconds * 1_000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", ...more });
}
