import type { StreamClient } from "@redis-batch/core/internal/connection";
import { describeMessages } from "@redis-batch/core/internal/errors";
import { pendingPages, type Registration } from "@redis-batch/core/internal/groups";
import type { HandOverRefusal } from "@redis-batch/core/internal/messages";
import { isReservedConsumer, RELEASED } from "@redis-batch/core/internal/names";
import type { Invocation, Run } from "../command.ts";
import { formatDuration } from "../command-line/option-value.ts";
import { withStream } from "../connection/open.ts";
import {
  countMovable,
  forecastHandOver,
  type HandOverForecast,
  type Movable,
} from "../decisions/hand-over-forecast.ts";
import { Failure } from "../failure.ts";
import { NOTHING_TO_DO, type Outcome, type Plan, planFirst } from "../plan.ts";
import { renderDuration } from "../render/report.ts";
import type { reassign } from "../table/group.ts";
import { findGroup } from "./find-group.ts";

type Call = Invocation<typeof reassign>;

const PAGE = 250;

const REFUSALS: Readonly<Record<HandOverRefusal, readonly [string, string]>> = {
  "owner-alive": ["the consumer that holds them is alive", "stop it first: otherwise both would process the messages"],
  "target-unknown": [
    "the target is not a consumer of Redis Batch",
    "`redis-batch consumers` lists the consumers; --to-unregistered allows this target",
  ],
  "target-silent": ["the target is not alive", "`redis-batch consumers` shows which consumers are alive"],
};

interface Move {
  readonly stream: string;
  readonly group: string;
  readonly from: string;
  readonly to: string;
}

export const run: Run<typeof reassign> = (call) =>
  withStream(call, async (client) => {
    const { args, options, terminal } = call;
    const { stream, group } = args;
    const { from, to = RELEASED } = options;
    if (from === undefined)
      throw new Failure("usage", "--from is missing: it names the consumer that holds the messages");
    if (from === to) {
      throw new Failure(
        "usage",
        to === RELEASED ? "these messages are already released" : "--from and --to are the same consumer",
      );
    }
    if (isReservedConsumer(to) && to !== RELEASED) {
      throw new Failure(
        "usage",
        `"${to}" is not a consumer`,
        "leave out --to: then any consumer of the group claims the messages",
      );
    }
    await findGroup(client, stream, group);
    const names = (await client.xinfoConsumers({ stream, group })).map(({ name }) => name);
    for (const name of [from, to]) {
      // The reserved name for released messages need not exist yet.
      if (names.includes(name) || name === RELEASED) continue;
      throw new Failure(
        "missing",
        `the group has no consumer "${name}"`,
        `\`redis-batch consumers\` lists its consumers`,
      );
    }
    const move = { stream, group, from, to };
    const { owner, forecast } = await judge(client, move, options);
    const plan = await planOf(client, move, owner, forecast);
    return planFirst(terminal, options, plan, () => carryOut(client, move, owner, call));
  });

async function judge(
  client: StreamClient,
  { stream, group, from, to }: Move,
  options: Call["options"],
): Promise<{ readonly owner: Registration | undefined; readonly forecast: HandOverForecast }> {
  const registry = await client.registry({ stream, group });
  const owner = registry.get(from);
  const alone = [...registry.values()].find(({ details }) => details.isAlone === true)?.consumer;
  if (alone !== undefined && to !== RELEASED && to !== alone) {
    throw new Failure(
      "refused",
      `"${alone}" keeps the messages of this group in order (orderBy), so no other consumer may get them`,
      "leave out --to: then it claims them itself, or the next one like it",
    );
  }
  const forecast = forecastHandOver({
    ...{ owner, target: registry.get(to), toAny: options["to-unregistered"] || to === RELEASED },
    ...{ minIdleMs: options["min-idle"], nowMs: await client.time() },
  });
  return { owner, forecast };
}

/** What would move, and why not the rest. */
async function planOf(
  client: StreamClient,
  { to, from: consumer, ...address }: Move,
  owner: Registration | undefined,
  forecast: HandOverForecast,
): Promise<Plan> {
  const pending = await countPending(client, { ...address, from: consumer });
  let count: Movable = { movable: 0, waitMs: 0 };
  if (forecast.kind === "allowed") {
    for await (const page of pendingPages(client, { ...address, consumer, pageSize: PAGE })) {
      const idleTimes = page.map(({ idleMs }) => idleMs);
      count = countMovable(count, idleTimes, forecast.idleMs);
    }
  }
  const why = pending === 0 ? null : whyNot(consumer, owner, forecast, count);
  return {
    facts: [
      ...factsOf({ ...address, from: consumer, to }),
      { key: "pending", value: pending, unit: "count" },
      { key: "movable", title: "can move now", value: count.movable, unit: "count" },
      { key: "why", title: count.movable === 0 ? "why not" : "why not all", value: why?.[0] ?? null },
    ],
    nothing: pending === 0 ? NOTHING_TO_DO : undefined,
    blocked:
      why === null || count.movable > 0 ? undefined : new Failure("refused", `nothing can move: ${why[0]}`, why[1]),
  };
}

/** Why messages stay, and what to do about it; `null` if all move. */
function whyNot(
  from: string,
  owner: Registration | undefined,
  forecast: HandOverForecast,
  { waitMs }: Movable,
): readonly [why: string, fix: string] | null {
  if (forecast.kind === "refused") return REFUSALS[forecast.why];
  return waitMs === 0 ? null : tooRecent(from, owner, forecast.idleMs, renderDuration(waitMs));
}

function tooRecent(
  from: string,
  owner: Registration | undefined,
  idleMs: number,
  wait: string,
): readonly [why: string, fix: string] {
  const again = `run it again in ${wait}`;
  if (isReservedConsumer(from)) {
    const rule = `messages under ${from} move only when they have been idle for --min-idle (${formatDuration(idleMs)})`;
    return [rule, `${again}, or set a shorter --min-idle: no consumer works on them`];
  }
  return owner === undefined
    ? [
        `messages of a consumer that is not of Redis Batch move only when they have been idle for --min-idle (${formatDuration(idleMs)})`,
        `${again}, or set a shorter --min-idle if that consumer has certainly stopped: otherwise both would process the messages`,
      ]
    : [`messages move only when they have been idle for the consumer's lease (${formatDuration(idleMs)})`, again];
}

async function carryOut(
  client: StreamClient,
  move: Move,
  owner: Registration | undefined,
  { options, terminal, signal }: Call,
): Promise<Outcome> {
  let [moved, cleared, after]: [number, number, string | null] = [0, 0, null];
  do {
    const page = await client.handOverPage({
      ...{ ...move, after, count: PAGE },
      ...{ foreignIdleMs: options["min-idle"], toUnregistered: options["to-unregistered"] },
    });
    if (page.kind === "refused") {
      const [why, fix] = REFUSALS[page.why];
      const done = moved === 0 ? "nothing was moved" : `after ${describeMessages(moved)}`;
      throw new Failure("refused", `${done}: ${why}`, fix);
    }
    moved += page.moved;
    cleared += page.trimmed;
    after = page.lastId;
    terminal.progress(`${moved} moved`);
  } while (after !== null && !signal.aborted);
  terminal.endProgress();
  const left = await countPending(client, move);
  const released = move.to === RELEASED && moved > 0;
  return {
    facts: [
      ...factsOf(move),
      { key: "moved", value: moved, unit: "count" },
      { key: "cleared", title: "cleared: deleted before", value: cleared, unit: "count" },
      { key: "left", value: left, unit: "count" },
    ],
    notes: released ? ["Any consumer of the group claims them as soon as it has room."] : [],
    rest: left === 0 ? undefined : whatIsLeft(left, move, owner, options["min-idle"], signal.aborted),
  };
}

function whatIsLeft(
  left: number,
  { from }: Move,
  owner: Registration | undefined,
  minIdleMs: number,
  isInterrupted: boolean,
): Failure {
  const what = `${describeMessages(left)} ${left === 1 ? "stays" : "stay"} with "${from}"`;
  if (isInterrupted) return new Failure("interrupted", `${what}: interrupted`, "run it again: it continues");
  const [why, fix] = tooRecent(from, owner, owner?.leaseMs ?? minIdleMs, "a while");
  return new Failure("refused", `${what}: ${why}`, fix);
}

const countPending = async (client: StreamClient, { stream, group, from }: Omit<Move, "to">): Promise<number> =>
  (await client.xpendingSummary({ stream, group })).consumers.get(from) ?? 0;

const factsOf = (move: Move) => Object.entries<string>({ ...move }).map(([key, value]) => ({ key, value }));
