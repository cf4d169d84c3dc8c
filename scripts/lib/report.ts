/** Ends a check: says what was checked, or lists the problems and makes the process fail. */
export function report(lookedAt: string, problems: readonly string[]): void {
  if (problems.length === 0) {
    console.log(`Checked ${lookedAt}.`);
    return;
  }
  for (const problem of problems) console.error(`- ${problem}`);
  console.error(`${problems.length} problem${problems.length === 1 ? "" : "s"} in ${lookedAt}.`);
  process.exitCode = 1;
}
