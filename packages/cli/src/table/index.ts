/** Every command, in the order of the help. */
import { bench } from "./bench.ts";
import { consume } from "./consume.ts";
import { dashboard } from "./dashboard.ts";
import * as deadLetters from "./dead-letters.ts";
import { demo } from "./demo.ts";
import { doctor } from "./doctor.ts";
import { entry, type TableEntry } from "./entry.ts";
import * as group from "./group.ts";
import * as inspect from "./inspect.ts";
import * as watching from "./monitor.ts";
import { produce } from "./produce.ts";
import { scale, scaleRun, scaleSimulate } from "./scale.ts";
import * as setup from "./setup.ts";

export const COMMANDS: readonly TableEntry[] = [
  entry(produce, () => import("../commands/produce.ts")),
  entry(consume, () => import("../commands/consume.ts")),
  entry(watching.status, () => import("../commands/status.ts")),
  entry(watching.top, () => import("../commands/top.ts")),
  entry(watching.monitor, () => import("../commands/monitor.ts")),
  entry(watching.serve, () => import("../commands/monitor-serve.ts")),
  entry(dashboard, () => import("../commands/dashboard.ts")),
  entry(watching.cleanup, () => import("../commands/cleanup.ts")),
  entry(watching.trim, () => import("../commands/trim.ts")),
  entry(watching.check, () => import("../commands/check.ts")),
  entry(scale, () => import("../commands/scale.ts")),
  entry(scaleRun, () => import("../commands/scale-run.ts")),
  entry(scaleSimulate, () => import("../commands/scale-simulate.ts")),
  entry(inspect.streams, () => import("../commands/streams.ts")),
  entry(inspect.groups, () => import("../commands/groups.ts")),
  entry(inspect.consumers, () => import("../commands/consumers.ts")),
  entry(inspect.pending, () => import("../commands/pending.ts")),
  entry(inspect.ackOne, () => import("../commands/pending-ack.ts")),
  entry(inspect.releaseOne, () => import("../commands/pending-release.ts")),
  entry(inspect.deadLetterOne, () => import("../commands/pending-dead-letter.ts")),
  entry(inspect.peek, () => import("../commands/peek.ts")),
  entry(inspect.tail, () => import("../commands/tail.ts")),
  entry(deadLetters.list, () => import("../commands/dead-letters-list.ts")),
  entry(deadLetters.summary, () => import("../commands/dead-letters-summary.ts")),
  entry(deadLetters.exportLetters, () => import("../commands/dead-letters-export.ts")),
  entry(deadLetters.importLetters, () => import("../commands/dead-letters-import.ts")),
  entry(deadLetters.show, () => import("../commands/dead-letters-show.ts")),
  entry(deadLetters.key, () => import("../commands/dead-letters-key.ts")),
  entry(deadLetters.redrive, () => import("../commands/dead-letters-redrive.ts")),
  entry(deadLetters.discard, () => import("../commands/dead-letters-discard.ts")),
  entry(group.create, () => import("../commands/group-create.ts")),
  entry(group.pause, () => import("../commands/group-pause.ts")),
  entry(group.resume, () => import("../commands/group-resume.ts")),
  entry(group.rate, () => import("../commands/group-rate.ts")),
  entry(group.seek, () => import("../commands/group-seek.ts")),
  entry(group.remove, () => import("../commands/group-delete.ts")),
  entry(group.reassign, () => import("../commands/reassign.ts")),
  entry(doctor, () => import("../commands/doctor.ts")),
  entry(bench, () => import("../commands/bench.ts")),
  entry(demo, () => import("../commands/demo.ts")),
  entry(setup.acl, () => import("../commands/acl.ts")),
  entry(setup.contextAdd, () => import("../commands/context-add.ts")),
  entry(setup.contextUse, () => import("../commands/context-use.ts")),
  entry(setup.contextList, () => import("../commands/context-list.ts")),
  entry(setup.contextRemove, () => import("../commands/context-remove.ts")),
  entry(setup.completionNames, () => import("../commands/completion-names.ts")),
  entry(setup.completion, () => import("../commands/completion.ts")),
  entry(setup.reference, () => import("../commands/reference.ts")),
];
