const BARS = "▁▂▃▄▅▆▇█";

/** The last values as bars, one column each, from 0 to the largest; a gap for an unknown value. */
export function renderSparkline(values: readonly (number | null)[], width: number): string {
  const shown = values.slice(-width);
  const most = Math.max(0, ...shown.filter((value) => value !== null));
  return shown
    .map((value) => {
      if (value === null) return " ";
      return BARS[most === 0 ? 0 : Math.min(Math.floor((value / most) * BARS.length), BARS.length - 1)] ?? " ";
    })
    .join("");
}
