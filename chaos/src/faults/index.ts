import type { FaultKind } from "../plan.ts";
import { closeAndReplace } from "./close-and-replace.ts";
import {
  connectionReset,
  connectionStall,
  halfOpen,
  masterCutOff,
  refused,
  replyCut,
  requestCut,
} from "./connections.ts";
import { flushAll, trim } from "./data.ts";
import { masterFreeze, masterKill, plannedFailover, replicaPromoted } from "./failover.ts";
import type { Fault } from "./fault.ts";
import { brokenProcess, handlerHang } from "./handlers.ts";
import { monitorKill, monitorZombie } from "./monitors.ts";
import { sentinelAway } from "./sentinels.ts";
import { clientKill, clientPause, scriptFlush, serverFreeze, serverKill } from "./server.ts";
import { serverClockBack } from "./server-clock-back.ts";
import { sinkAway, sinkFull, sinkReadOnly } from "./sink.ts";
import { slotMigration, slotMove } from "./slots.ts";
import { workerClockJump } from "./worker-clock-jump.ts";
import { workerKill } from "./worker-kill.ts";
import { workerZombie } from "./worker-zombie.ts";

export const FAULTS: Readonly<Record<FaultKind, Fault>> = {
  workerKill,
  workerZombie,
  workerClockJump,
  closeAndReplace,
  handlerHang,
  brokenProcess,
  monitorKill,
  monitorZombie,
  connectionReset,
  replyCut,
  requestCut,
  connectionStall,
  halfOpen,
  refused,
  clientKill,
  clientPause,
  serverKill,
  serverFreeze,
  serverClockBack,
  scriptFlush,
  sinkReadOnly,
  sinkFull,
  sinkAway,
  trim,
  flushAll,
  plannedFailover,
  masterKill,
  masterFreeze,
  replicaPromoted,
  masterCutOff,
  sentinelAway,
  slotMove,
  slotMigration,
};
