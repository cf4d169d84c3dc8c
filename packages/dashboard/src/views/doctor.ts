/** What is wrong: with the server, with the rights of the dashboard's user, and with the groups. */
import type { Extra, StreamClient } from "@redis-batch/core/internal/connection";
import {
  diagnoseGroup,
  diagnoseMissingCommands,
  diagnoseRetention,
  diagnoseRights,
  examineServer,
  type Finding,
  finding,
  findMissingCommands,
  probeRights,
} from "@redis-batch/core/internal/diagnosis";
import { systemClock } from "@redis-batch/core/internal/service";
import type { MonitorReport } from "@redis-batch/monitor";

// It asks a few dozen questions; their answers change seldom.
const FRESH_MS = 15_000;
// Rights are granted by patterns of names, so a few streams tell about the rest.
const STREAMS_PROBED = 8;
const MOST_FINDINGS = 300;

export interface DoctorDependencies {
  readonly client: StreamClient;
  /** Whether people may act, for which there are rights of their own. */
  readonly allowActions: boolean;
  readonly reports: () => Iterable<MonitorReport>;
}

/** Examines the server when somebody asks, but not more often than four times a minute, for however many people. */
export function createDoctor({ client, allowActions, reports }: DoctorDependencies): () => Promise<readonly Finding[]> {
  let last: { readonly atMs: number; readonly findings: Promise<readonly Finding[]> } | undefined;
  const extras: readonly Extra[] = [
    "payloads",
    ...(allowActions ? (["discard", "redrive", "add", "pause"] as const) : []),
  ];
  return async () => {
    const nowMs = systemClock.nowMs();
    const seen = [...reports()];
    if (last === undefined || nowMs - last.atMs > FRESH_MS) {
      const findings = examine(client, seen, extras);
      last = { atMs: nowMs, findings };
      findings.catch(() => {
        last = undefined;
      });
    }
    return [...(await last.findings), ...worstOf(seen.flatMap(findingsOf))];
  };
}

async function examine(
  client: StreamClient,
  seen: readonly MonitorReport[],
  extras: readonly Extra[],
): Promise<readonly Finding[]> {
  const [server, missing] = await Promise.all([examineServer(client), findMissingCommands(client)]);
  const rights = await examineRights(client, { seen, extras, notOffered: missing });
  return [...server, ...diagnoseMissingCommands(missing), ...rights];
}

interface RightsQuestion {
  readonly seen: readonly MonitorReport[];
  readonly extras: readonly Extra[];
  readonly notOffered: ReadonlySet<string>;
}

/** The rights of the user as whom the dashboard is signed in. */
async function examineRights(
  client: StreamClient,
  { seen, extras, notOffered }: RightsQuestion,
): Promise<readonly Finding[]> {
  const user = await client.whoAmI();
  const role = "dashboard";
  const findings = new Map<string, Finding>();
  for (const { stream, groups } of seen.slice(0, STREAMS_PROBED)) {
    const address = { stream, group: groups[0]?.group ?? "group" };
    const facts =
      user === null ? { role, missing: null } : await probeRights(client, { user, role, address, notOffered, extras });
    const one = diagnoseRights(user, facts);
    findings.set(one.finding, one);
  }
  return [...findings.values()];
}

/** As many as a page can hold, and how many more there are. */
function worstOf(findings: readonly Finding[]): readonly Finding[] {
  const isBad = ({ severity }: Finding): boolean => severity === "problem";
  const worstFirst = [...findings.filter(isBad), ...findings.filter((one) => !isBad(one))];
  const left = worstFirst.length - MOST_FINDINGS;
  const more = `${left} more findings are not shown`;
  return left <= 0
    ? worstFirst
    : [
        ...worstFirst.slice(0, MOST_FINDINGS),
        finding("groups", "info", more, "redis-batch doctor <stream> shows those of one stream"),
      ];
}

/** The findings of a stream that somebody has to look at. */
function findingsOf({ stream, groups, retention }: MonitorReport): readonly Finding[] {
  const all = [...groups.flatMap((group) => diagnoseGroup(stream, group)), ...diagnoseRetention(retention.warnings)];
  return all.filter(({ severity }) => severity !== "ok").map((one) => ({ ...one, area: `${stream}, ${one.area}` }));
}
