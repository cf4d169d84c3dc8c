// No page, comment or string has a word that nobody would say: the table of scripts/lib/word-rules.ts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { report } from "./lib/report.ts";
import { ROOT } from "./lib/root.mjs";
import { trackedFiles } from "./lib/tracked-files.ts";
import { wordProblems } from "./lib/word-rules.ts";

// Not the table itself, its test, nor what is made from other files.
const EXEMPT = /^scripts\/lib\/word-rules\.|\.generated\.ts$|\.api\.md$/;
const files = trackedFiles().filter((file) => /\.(?:md|[cm]?[jt]s|lua|ya?ml|sh)$/.test(file) && !EXEMPT.test(file));
report(
  `the words of ${files.length} files`,
  files.flatMap((file) => wordProblems(file, readFileSync(join(ROOT, file), "utf8"))),
);
