import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ReplyShapeError } from "../errors/errors.ts";
import { aclDryRun, aclWhoAmI } from "./acl-dry-run.ts";
import { ackOwned } from "./atomic/ack-owned.ts";
import { addOnce } from "./atomic/add-once.ts";
import { countHang } from "./atomic/count-hang.ts";
import { deleteIfAllGroupsDone } from "./atomic/delete-if-all-groups-done.ts";
import { forgetDue } from "./atomic/forget-due.ts";
import { handOver } from "./atomic/hand-over.ts";
import { handOverPage } from "./atomic/hand-over-page.ts";
import { heartbeat } from "./atomic/heartbeat.ts";
import { holdLease } from "./atomic/hold-lease.ts";
import { mayCall } from "./atomic/may-call.ts";
import { moveToDeadLetters } from "./atomic/move-to-dead-letters.ts";
import { pauseGroup } from "./atomic/pause-group.ts";
import { readDue } from "./atomic/read-due.ts";
import { redeliverOwn } from "./atomic/redeliver-own.ts";
import { redrive } from "./atomic/redrive.ts";
import { release } from "./atomic/release.ts";
import { removeIfEmpty } from "./atomic/remove-if-empty.ts";
import { renewOwned } from "./atomic/renew-owned.ts";
import { reserveRate } from "./atomic/reserve-rate.ts";
import { scheduleLater } from "./atomic/schedule-later.ts";
import { setRate } from "./atomic/set-rate.ts";
import { take } from "./atomic/take.ts";
import { trimToSafePoint } from "./atomic/trim-to-safe-point.ts";
import { writeInTerm } from "./atomic/write-in-term.ts";
import { commandInfo } from "./command-info.ts";
import { hgetall } from "./hgetall.ts";
import { info } from "./info.ts";
import { scanStreams } from "./scan-streams.ts";
import { setIfFree } from "./set-if-free.ts";
import { time } from "./time.ts";
import { unlink } from "./unlink.ts";
import { xack } from "./xack.ts";
import { xadd } from "./xadd.ts";
import { xdel } from "./xdel.ts";
import { xgroupCreate, xgroupCreateConsumer, xgroupDestroy, xgroupSetId } from "./xgroup.ts";
import { xinfoConsumers, xinfoGroups, xinfoStream } from "./xinfo.ts";
import { xlen } from "./xlen.ts";
import { xpendingRange, xpendingSummary } from "./xpending.ts";
import { xrange } from "./xrange.ts";
import { xreadgroup } from "./xreadgroup.ts";
import { xrevrange } from "./xrevrange.ts";
import { zcount } from "./zcount.ts";
import { zmscore } from "./zmscore.ts";

const SECRET = "hunter2";
const own = { stream: "s", group: "g", consumer: "c", ids: ["1-1", "2-1"] };
const fields = ["f", "v"];

const decoders: readonly (readonly [string, (reply: unknown) => unknown])[] = [
  ["COMMAND INFO", (reply) => commandInfo.decode(reply, { names: ["xadd"] })],
  ["HGETALL", (reply) => hgetall.decode(reply, { key: "k" })],
  ["SET NX", (reply) => setIfFree.decode(reply, { key: "k", value: "v", expireMs: 1 })],
  ["INFO", (reply) => info.decode(reply, {})],
  ["ACL DRYRUN", (reply) => aclDryRun.decode(reply, { user: "u", command: [] })],
  ["mayCall", (reply) => mayCall.decode(reply, { commands: [["TIME"]] })],
  ["ACL WHOAMI", (reply) => aclWhoAmI.decode(reply, {})],
  ["TIME", (reply) => time.decode(reply, {})],
  ["UNLINK", (reply) => unlink.decode(reply, { keys: ["k"] })],
  ["XACK", (reply) => xack.decode(reply, own)],
  ["XADD", (reply) => xadd.decode(reply, { stream: "s", fields })],
  ["XDEL", (reply) => xdel.decode(reply, own)],
  ["XGROUP CREATE", (reply) => xgroupCreate.decode(reply, { ...own, position: "start" })],
  ["XGROUP CREATECONSUMER", (reply) => xgroupCreateConsumer.decode(reply, own)],
  ["XINFO STREAM", (reply) => xinfoStream.decode(reply, own)],
  ["XINFO GROUPS", (reply) => xinfoGroups.decode(reply, own)],
  ["XINFO CONSUMERS", (reply) => xinfoConsumers.decode(reply, own)],
  ["XLEN", (reply) => xlen.decode(reply, own)],
  ["XPENDING", (reply) => xpendingSummary.decode(reply, own)],
  ["XPENDING with a range", (reply) => xpendingRange.decode(reply, { ...own, from: "-", to: "+", count: 1 })],
  ["XRANGE", (reply) => xrange.decode(reply, { stream: "s", from: "-", to: "+", count: 1 })],
  ["XREVRANGE", (reply) => xrevrange.decode(reply, { stream: "s", from: "-", to: "+", count: 1 })],
  ["SCAN", (reply) => scanStreams.decode(reply, { count: 1 })],
  ["XGROUP SETID", (reply) => xgroupSetId.decode(reply, { ...own, position: "start" })],
  ["XGROUP DESTROY", (reply) => xgroupDestroy.decode(reply, own)],
  ["XREADGROUP", (reply) => xreadgroup.decode(reply, { ...own, streams: ["s"], count: 1 })],
  ["ZMSCORE", (reply) => zmscore.decode(reply, { key: "k", members: ["m"] })],
  ["ZCOUNT", (reply) => zcount.decode(reply, { key: "k", max: 1 })],
  ["ackOwned", (reply) => ackOwned.decode(reply, own)],
  ["renewOwned", (reply) => renewOwned.decode(reply, own)],
  ["redeliverOwn", (reply) => redeliverOwn.decode(reply, { ...own, messages: [] })],
  ["release", (reply) => release.decode(reply, { ...own, from: "a", to: "b", neverOffered: [], offered: [] })],
  [
    "take",
    (reply) => {
      const bounds = { after: null, scan: 9, count: 9, maxBytes: 9, suspectFrom: 9, suspects: 1, notWanted: [] };
      return take.decode(reply, { ...own, ...bounds });
    },
  ],
  ["scheduleLater", (reply) => scheduleLater.decode(reply, { ...own, delays: [] })],
  ["readDue", (reply) => readDue.decode(reply, { ...own, limit: 1 })],
  ["forgetDue", (reply) => forgetDue.decode(reply, { ...own, due: [] })],
  ["countHang", (reply) => countHang.decode(reply, { ...own, id: "1-1", rememberMs: 1 })],
  ["redrive", (reply) => redrive.decode(reply, { ...own, id: "1-1", ifTrimmed: "skip" })],
  ["moveToDeadLetters", (reply) => moveToDeadLetters.decode(reply, { ...own, id: "1-1", reason: "", error: "" })],
  [
    "handOver",
    (reply) => handOver.decode(reply, { ...own, from: "a", to: "b", foreignIdleMs: 1, toUnregistered: false }),
  ],
  [
    "handOverPage",
    (reply) => {
      const move = { stream: "s", group: "g", from: "a", to: "b", foreignIdleMs: 1, toUnregistered: false };
      return handOverPage.decode(reply, { ...move, after: null, count: 1 });
    },
  ],
  ["removeIfEmpty", (reply) => removeIfEmpty.decode(reply, { ...own, onlyIfSilent: false })],
  ["deleteIfAllGroupsDone", (reply) => deleteIfAllGroupsDone.decode(reply, own)],
  ["reserveRate", (reply) => reserveRate.decode(reply, { ...own, messages: 1, own: null })],
  ["setRate", (reply) => setRate.decode(reply, { ...own, limit: null })],
  ["pauseGroup", (reply) => pauseGroup.decode(reply, { ...own, pause: null })],
  ["heartbeat", (reply) => heartbeat.decode(reply, { ...own, incarnation: "i", leaseMs: 1, details: {} })],
  [
    "holdLease",
    (reply) => holdLease.decode(reply, { leaseKey: "k", stateKey: "s", holder: "h", leaseMs: 1, heardOf: 0 }),
  ],
  [
    "writeInTerm",
    (reply) => {
      const write = { leaseKey: "k", stateKey: "s", logKey: "l", holder: "h", term: 1, state: "" };
      return writeInTerm.decode(reply, { ...write, entry: null, logLength: 1 });
    },
  ],
  ["trimToSafePoint", (reply) => trimToSafePoint.decode(reply, { stream: "s", dryRun: true })],
  ["addOnce", (reply) => addOnce.decode(reply, { stream: "s", fields, idempotencyKey: "k", rememberMs: 1 })],
];

// Whatever a server, a proxy or a later version may send: the right pieces in the wrong places, payloads everywhere.
const { reply } = fc.letrec<{ reply: unknown }>((tie) => ({
  reply: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<unknown>(null, undefined, 0, 1, 2, -1, 1.5, 9n, true, SECRET, "1-1", "ok", "moved"),
    fc.constantFrom(Buffer.from(SECRET), Buffer.from("1-1"), Buffer.from("name"), Buffer.from("length")),
    fc.array(tie("reply"), { maxLength: 4 }),
    fc.array(fc.tuple(tie("reply"), tie("reply")), { maxLength: 3 }).map((pairs) => new Map(pairs)),
  ),
}));

test.each(decoders)("%s: a surprise is a ReplyShapeError that quotes nothing of the reply", (_, decode) => {
  fc.assert(
    fc.property(reply, (surprise) => {
      const error = errorOf(() => decode(surprise));
      expect(error === undefined || ReplyShapeError.is(error)).toBe(true);
      expect(String(error)).not.toContain(SECRET);
    }),
    { numRuns: 300 },
  );
});

function errorOf(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}
