import type { GroupReport } from "@redis-batch/monitor";

/** One snapshot on one line, if there is no screen. */
export function renderSnapshot(at: string, group: GroupReport): string {
  const { backlog, pending, inPerSecond, outPerSecond, deadLetters, consumers, health } = group;
  const dead = consumers.filter(({ status }) => status === "DEAD").length;
  const rate = (value: number | null): string => (value === null ? "?" : value.toFixed(1));
  return (
    `${at} ${health}: waiting ${backlog.source === "at least" ? ">=" : ""}${backlog.messages ?? "?"}, pending ${pending}, ` +
    `in ${rate(inPerSecond)}/s, out ${rate(outPerSecond)}/s, dead letters ${deadLetters}, ` +
    `consumers ${consumers.length}${dead === 0 ? "" : ` (${dead} dead)`}\n`
  );
}
