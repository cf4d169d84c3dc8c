import type { Role, StreamClient } from "@redis-batch/core/internal/connection";
import {
  diagnoseMissingCommands,
  diagnoseRights,
  examineServer,
  type Finding,
  finding,
  findMissingCommands,
  type Severity,
} from "@redis-batch/core/internal/diagnosis";
import { nullIfForbidden } from "@redis-batch/core/internal/errors";
import { quoteName } from "@redis-batch/core/internal/names";
import type { GroupHealth, GroupReport, MonitorReport } from "@redis-batch/monitor";
import type { Invocation, Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import { whatThereIs } from "../failure.ts";
import type { Tone } from "../render/paint.ts";
import { shellWord } from "../render/shell-word.ts";
import type { doctor } from "../table/doctor.ts";
import { probeRights } from "./rights-probe.ts";
import { withMonitor } from "./with-monitor.ts";

type Call = Invocation<typeof doctor>;

const ROLES: readonly Role[] = ["producer", "consumer", "monitor", "scaler", "deadLetters", "groups", "dashboard"];
const TONES: Readonly<Record<Severity, Tone>> = {
  ok: "good",
  info: "quiet",
  warning: "warn",
  problem: "bad",
  unknown: "quiet",
};

export const run: Run<typeof doctor> = async (call) => {
  const { args, options, terminal } = call;
  const { stream } = args;
  const findings = await withClient(call, async (client) => {
    const missing = await findMissingCommands(client);
    return [
      ...(await examineServer(client)),
      ...diagnoseMissingCommands(missing),
      ...(stream === undefined ? [] : await examineRights(client, { stream, group: args.group ?? "group" }, missing)),
    ];
  });
  if (stream !== undefined) findings.push(...(await examineGroups({ ...call, args: { stream, group: args.group } })));
  await terminal.report(
    {
      table: {
        key: "findings",
        columns: [
          { key: "area" },
          { key: "severity", tone: (word) => TONES[word as Severity] },
          { key: "finding" },
          { key: "fix" },
        ],
        rows: findings.map(({ area, severity, finding: text, fix }) => ({ area, severity, finding: text, fix })),
        none: "",
      },
    },
    options.json,
  );
  return findings.some(({ severity }) => severity === "problem") ? "failed" : "ok";
};

async function examineRights(
  client: StreamClient,
  address: { readonly stream: string; readonly group: string },
  notOffered: ReadonlySet<string>,
) {
  const user = await client.whoAmI();
  const findings: Finding[] = [];
  for (const role of ROLES) {
    const facts = user === null ? { role, missing: null } : await probeRights(client, user, role, address, notOffered);
    findings.push(diagnoseRights(user, facts));
  }
  return findings;
}

type GroupCall = Pick<Call, "options" | "terminal" | "signal"> & {
  readonly args: { readonly stream: string; readonly group: string | undefined };
};

async function examineGroups(call: GroupCall): Promise<readonly Finding[]> {
  const report = await withMonitor(call, {}, (monitor) => nullIfForbidden(monitor.inspect()));
  if (report === null)
    return [
      finding(
        "groups",
        "unknown",
        "this user may not read the groups: see above",
        "run this as a user with the monitor's rights",
      ),
    ];
  if (report.groups.length === 0) {
    return [
      finding(
        "groups",
        "warning",
        report.length === null
          ? "there is no such stream"
          : call.args.group === undefined
            ? "the stream has no group"
            : "there is no such group",
        report.length === null ? whatThereIs() : createGroup(call.args),
      ),
    ];
  }
  return [
    ...report.groups.flatMap((group) => examineGroup(report, group)),
    ...report.retention.warnings.map((text) =>
      finding("retention", "warning", text, "trim the stream with `redis-batch trim` instead of a MAXLEN"),
    ),
  ];
}

/** How to create the group that was asked for, or any group. */
function createGroup({ stream, group }: GroupCall["args"]): string {
  const command = `redis-batch group create ${shellWord(stream)} ${group === undefined ? "<group>" : shellWord(group)}`;
  return `${command}; redis-batch groups ${shellWord(stream)} lists the existing groups`;
}

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`;

const BAD: readonly GroupHealth[] = ["STALLED", "STOPPED", "FAILING", "AHEAD"];

function fixOf({ health }: GroupReport, words: string): string {
  if (health === "AHEAD") return `move it to where it should continue: redis-batch group seek ${words} --to end`;
  if (health === "FAILING") return `see why messages go to the dead letters: redis-batch dead-letters list ${words}`;
  return `start consumers, or see what blocks them: redis-batch monitor ${words}`;
}

function examineGroup({ stream }: MonitorReport, group: GroupReport): readonly Finding[] {
  const area = `group ${group.group}`;
  const words = `${shellWord(stream)} ${shellWord(group.group)}`;
  const dead = group.consumers.filter(({ status }) => status === "DEAD").length;
  const isBad = BAD.includes(group.health);
  return [
    finding(
      area,
      isBad ? "problem" : group.health === "OK" || group.health === "UNKNOWN" ? "ok" : "warning",
      group.reason,
      isBad ? fixOf(group, words) : null,
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
    ...(dead === 0
      ? []
      : [
          finding(
            area,
            "warning",
            `${count(dead, "consumer is", "consumers are")} dead`,
            `redis-batch cleanup ${words}`,
          ),
        ]),
    ...(group.deadLetters === 0
      ? []
      : [
          finding(
            area,
            "warning",
            count(group.deadLetters, "dead letter", "dead letters"),
            `redis-batch dead-letters list ${words}`,
          ),
        ]),
  ];
}
