/** What the bundlers that are used most make of a program with its packages, minified. */
import { join } from "node:path";
import { build } from "esbuild";
import webpack from "webpack";
import { runIn } from "./run-in.ts";

/** The program in one file → that file. */
type Bundle = (program: string, into: string) => Promise<string>;

export async function byEsbuild(program: string, into: string): Promise<string> {
  const outfile = join(into, "esbuild.cjs");
  await build({ entryPoints: [program], outfile, bundle: true, minify: true, platform: "node", logLevel: "error" });
  return outfile;
}

export async function byWebpack(program: string, into: string): Promise<string> {
  const filename = "webpack.cjs";
  const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) => {
    webpack({ mode: "production", target: "node", entry: program, output: { path: into, filename } }, (error, end) =>
      error ? reject(error) : resolve(end),
    );
  });
  if (stats?.hasErrors() !== false) throw new Error(stats?.toString("errors-only"));
  return join(into, filename);
}

/** @param bun the runtime, which is the bundler as well */
export function byBun(bun: string): Bundle {
  return async (program, into) => {
    const file = join(into, "bun.mjs");
    const args = ["build", "--minify", "--target=node", `--outfile=${file}`, program];
    const { code, stdout, stderr } = await runIn(into, bun, args);
    if (code !== 0) throw new Error(`bun ${args.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
    return file;
  };
}
