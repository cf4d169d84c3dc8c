export {
  type Deferred,
  deferred,
  EventRecorder,
  fairNowMs,
  ManualClock,
  type RecordableEvent,
  type WaitOptions,
} from "@redis-batch/testing/time";
export { CommandProxy, type RewriteCommand } from "./faults/command-proxy.ts";
export { FaultProxy, type FaultProxyOptions } from "./faults/fault-proxy.ts";
export { type Direction, type Faults, NO_FAULTS } from "./faults/faults.ts";
export { HOSTILE_REQUESTS, sendHostileRequests } from "./faults/hostile-requests.ts";
export { ODD_VALUES, thenable } from "./faults/odd-values.ts";
export { type Sealable, sealable } from "./faults/sealable.ts";
export {
  ApiServer,
  type Asked,
  type KubeconfigOptions,
  refuse,
  type Workload,
} from "./kubernetes/api-server.ts";
export { isProcessAlive } from "./processes/process-state.ts";
export {
  type LineWait,
  runWorker,
  type WorkerExit,
  type WorkerOptions,
  type WorkerProcess,
} from "./processes/run-worker.ts";
export { type Certificates, strangeCertificates, testCertificates } from "./servers/certificates.ts";
export {
  beginSlotMove,
  type ClusterOptions,
  type ClusterTopology,
  type SlotMove,
  startCluster,
} from "./servers/cluster.ts";
export { type FoundChromium, findChromium } from "./servers/find-chromium.ts";
export { type FoundPromtool, findPromtool } from "./servers/find-promtool.ts";
export { type FindServerOptions, findServer, NoServerError, type ServerSource } from "./servers/find-server.ts";
export { type LocalWebServer, serveLocally } from "./servers/local-web-server.ts";
export type { ServerCommand, ServerOptions } from "./servers/own-server.ts";
export { RedisServer } from "./servers/redis-server.ts";
export { createScratchFolder, removeScratchFolder } from "./servers/scratch-folder.ts";
export { type SentinelOptions, type SentinelTopology, startSentinel } from "./servers/sentinel.ts";
export type { AclUser, Persistence, TlsMode } from "./servers/server-config.ts";
export {
  DEFAULT_SERVER_VERSION,
  isServerVersion,
  SERVER_VERSION_NAMES,
  SERVER_VERSIONS,
  type ServerFlavour,
  type ServerIdentity,
  type ServerVersion,
} from "./servers/server-versions.ts";
export { type EventuallyOptions, eventually } from "./time/eventually.ts";
export { type SeededRandom, seededRandom } from "./time/seeded-random.ts";
export { checkLeaks, type LeakCheckOptions } from "./vitest/check-leaks.ts";
export { recordUnhandled } from "./vitest/record-unhandled.ts";
export { uniqueName } from "./vitest/unique-name.ts";
export {
  needsOwnServer,
  ownServersOnly,
  type UsedServer,
  type UsedServers,
  type UseServerOptions,
  useServer,
  useServers,
} from "./vitest/use-server.ts";
export { addEntry } from "./wire/add-entry.ts";
export { type CommandArgument, type Reply, ReplyError } from "./wire/resp.ts";
export type { ConnectionOptions, ServerAddress, TlsMaterial } from "./wire/server-address.ts";
