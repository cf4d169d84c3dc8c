import type { Role, StreamClient } from "@redis-batch/core/internal/connection";
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
  type Severity,
} from "@redis-batch/core/internal/diagnosis";
import { nullIfForbidden } from "@redis-batch/core/internal/errors";
import type { Invocation, Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import { whatThereIs } from "../failure.ts";
import type { Tone } from "../render/paint.ts";
import { shellWord } from "../render/shell-word.ts";
import type { doctor } from "../table/doctor.ts";
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
          { key: "finding", isProse: true },
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
    const facts =
      user === null ? { role, missing: null } : await probeRights(client, { user, role, address, notOffered });
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
    ...report.groups.flatMap((group) => diagnoseGroup(report.stream, group)),
    ...diagnoseRetention(report.retention.warnings),
  ];
}

/** How to create the group that was asked for, or any group. */
function createGroup({ stream, group }: GroupCall["args"]): string {
  const command = `redis-batch group create ${shellWord(stream)} ${group === undefined ? "<group>" : shellWord(group)}`;
  return `${command}; redis-batch groups ${shellWord(stream)} lists the existing groups`;
}
