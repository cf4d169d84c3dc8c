// No tracked file has a name that says nothing, or holds a path or host of the machine it was written on.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { lockfileProblems, machineProblems, nameProblems } from "./lib/file-rules.ts";
import { machineTexts } from "./lib/machine-texts.ts";
import { report } from "./lib/report.ts";
import { ROOT } from "./lib/root.mjs";
import { trackedFiles } from "./lib/tracked-files.ts";

const unwanted = machineTexts();
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
