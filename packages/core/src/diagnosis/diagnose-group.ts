/** Problems of a consumer group, by what the monitor reports of it. */
import { quoteName } from "../names/names.ts";
import { shellWord } from "../names/shell-word.ts";
import { type Finding, finding } from "./diagnosis.ts";

/** What is judged of a group: the part of the monitor's report that this needs. */
export interface GroupFacts {
  readonly group: string;
  readonly health: string;
  readonly reason: string;
  readonly deadLetters: number;
  /** The rate of the group, and consumers whose options have another one. */
  readonly rateLimit: { readonly differing: readonly string[] } | null;
  readonly consumers: readonly { readonly consumer: string; readonly status: string; readonly reason: string }[];
}

const BAD = ["STALLED", "STOPPED", "FAILING", "AHEAD"];

export function diagnoseGroup(stream: string, group: GroupFacts): readonly Finding[] {
  const area = `group ${group.group}`;
  const words = `${shellWord(stream)} ${shellWord(group.group)}`;
  const dead = group.consumers.filter(({ status }) => status === "DEAD").length;
  const isBad = BAD.includes(group.health);
  const isWell = group.health === "OK" || group.health === "UNKNOWN";
  const fix = isBad || group.health === "PAUSED" ? fixOf(group, words) : null;
  return [
    finding(area, isBad ? "problem" : isWell ? "ok" : "warning", group.reason, fix),
    ...(group.rateLimit?.differing ?? []).map((consumer) =>
      finding(
        area,
        "warning",
        `the options of ${quoteName(consumer)} have another rateLimit than the group, whose counts`,
        `give it the group's, or change the group's: redis-batch group rate ${words}`,
      ),
    ),
    ...group.consumers
      .filter(({ status }) => status === "STALLED" || status === "FAILING")
      .map(({ consumer, status, reason }) =>
        finding(
          area,
          "warning",
          `the consumer ${quoteName(consumer)} is ${status}: ${reason}`,
          "find out what its handlers wait for, and restart it if necessary",
        ),
      ),
    ...warnIfAny(area, dead, ["consumer is dead", "consumers are dead"], `redis-batch cleanup ${words}`),
    ...warnIfAny(area, group.deadLetters, ["dead letter", "dead letters"], `redis-batch dead-letters list ${words}`),
  ];
}

/** @param warnings those of the monitor about messages that were removed too early */
export const diagnoseRetention = (warnings: readonly string[]): readonly Finding[] =>
  warnings.map((text) =>
    finding("retention", "warning", text, "trim the stream with `redis-batch trim` instead of a MAXLEN"),
  );

function fixOf({ health }: GroupFacts, words: string): string {
  if (health === "PAUSED") return `go on when the reason for the pause is over: redis-batch group resume ${words}`;
  if (health === "AHEAD") return `move it to where it should continue: redis-batch group seek ${words} --to end`;
  if (health === "FAILING") return `see why messages go to the dead letters: redis-batch dead-letters list ${words}`;
  return `start consumers, or see what blocks them: redis-batch monitor ${words}`;
}

const warnIfAny = (area: string, number: number, [one, many]: readonly [string, string], fix: string): Finding[] =>
  number === 0 ? [] : [finding(area, "warning", `${number} ${number === 1 ? one : many}`, fix)];
