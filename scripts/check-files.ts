// No tracked file has a name that says nothing, or holds a path or host of the machine it was written on.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  folderOfThisMachine,
  HOME_FOLDERS,
  lockfileProblems,
  type MachineText,
  machineProblems,
  nameProblems,
} from "./lib/file-rules.ts";
import { report } from "./lib/report.ts";
import { ROOT } from "./lib/root.mjs";
import { trackedFiles } from "./lib/tracked-files.ts";

const unwanted = [HOME_FOLDERS, ...textsOfThisMachine()];
const files = trackedFiles();
report(
  `${files.length} files`,
  files.flatMap((file) => {
    const content = readFileSync(join(ROOT, file), "utf8");
    // Texts only: a NUL byte means the file is binary.
    if (content.includes("\0")) return nameProblems(file);
    const lockfile = file === "pnpm-lock.yaml" ? lockfileProblems(content) : [];
    return [...nameProblems(file), ...machineProblems(file, content, unwanted), ...lockfile];
  }),
);

function textsOfThisMachine(): MachineText[] {
  const texts = folderOfThisMachine("the checkout's folder", ROOT);
  const registry = spawnSync("npm", ["config", "get", "registry"], { cwd: ROOT, encoding: "utf8" }).stdout.trim();
  const host = URL.parse(registry)?.host;
  if (host !== undefined) texts.push({ what: "this machine's registry", text: new RegExp(RegExp.escape(host)) });
  return texts;
}
