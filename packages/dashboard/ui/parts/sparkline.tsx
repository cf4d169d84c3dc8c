import type { Spark } from "../state/live.ts";

const [WIDTH, HEIGHT, POINTS] = [88, 22, 24];

/** What comes in (a line) and goes out (an area) during the last minutes. The numbers beside it say the same. */
export function Sparkline({ of }: { readonly of: Spark }) {
  const top = Math.max(1e-9, ...of.in.map(Number), ...of.out.map(Number));
  const from = (values: readonly (number | null)[]): string =>
    values
      .flatMap((value, at) => {
        if (value === null) return [];
        const x = ((at + POINTS - values.length) / (POINTS - 1)) * WIDTH;
        return `${x.toFixed(1)} ${(HEIGHT - 1 - (value / top) * (HEIGHT - 3)).toFixed(1)}`;
      })
      .join("L");
  const [ins, outs] = [from(of.in), from(of.out)];
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} aria-hidden="true">
      {outs.includes("L") && <path class="out" d={`M${outs}L${WIDTH} ${HEIGHT}L${outs.split(" ")[0]} ${HEIGHT}Z`} />}
      {ins.includes("L") && <path class="in" d={`M${ins}`} />}
    </svg>
  );
}
