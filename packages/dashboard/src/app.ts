/** What the dashboard answers to each request. */
import { type LetterId, NoGroupError, PermissionError, RedisBatchError, UsageError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { toErrorInfo } from "@redis-batch/core/internal/errors";
import { parsePlacedId } from "@redis-batch/core/internal/messages";
import { quoteName } from "@redis-batch/core/internal/names";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { streamSSE } from "hono/streaming";
import type { GroupActions } from "./actions/group-actions.ts";
import type { Plans, Wish } from "./actions/plans.ts";
import { groupCommand, peekCommand } from "./decisions/command-line.ts";
import type { DashboardEvent } from "./events.ts";
import { Gate, type Visitor } from "./gate.ts";
import type { DashboardPolicy } from "./options.ts";
import { pageFiles } from "./page/files.ts";
import { createPage } from "./page/page.ts";
import {
  readBody,
  readGroupWish,
  readLimit,
  readName,
  readNumber,
  readOptionalName,
  readOrder,
  readWish,
} from "./requests.ts";
import { nullIfUnreadable, readActions, readOrders } from "./views/audit.ts";
import { createDoctor } from "./views/doctor.ts";
import { readLetterGroups, readLetters } from "./views/letters.ts";
import { readMessages, readNext, readPending, type ShownMessages } from "./views/messages.ts";
import { inTurns } from "./watch/in-turns.ts";
import type { Watcher } from "./watch/watcher.ts";

export interface AppDependencies {
  readonly policy: DashboardPolicy;
  readonly client: StreamClient;
  readonly watcher: Watcher;
  readonly plans: Plans;
  readonly groupActions: GroupActions;
  readonly report: (event: DashboardEvent) => void;
  /** Aborts when the dashboard is closed. */
  readonly signal: AbortSignal;
  /** Called with each request for data: looking begins with the first. */
  readonly onVisit: () => void;
}

type Env = { Variables: { visitor: Visitor } };

const LARGEST_BODY = 1_048_576;
// More would be an attempt to use up our memory: each page has one.
const MOST_WATCHING = 200;
const LOGS_AT_ONCE = 16;
const SHOWN_ACTIONS = 200;
// A browser that has lost the connection tries again after this time.
const RETRY_MS = 1_000;

export function createApp(dependencies: AppDependencies): Hono<Env> {
  const { policy, report } = dependencies;
  const gate = new Gate(policy, report);
  const app = new Hono<Env>({ getPath: ({ url }) => withoutPrefix(new URL(url).pathname, policy.prefix) });
  app.use(gate.secureHeaders);
  app.onError((error, c) => answerError(error, c, report));
  app.notFound((c) => c.json({ error: "there is nothing here" }, 404));

  app.get("/api/session", gate.page, (c) => c.json(gate.session(c)));
  app.post("/api/session", gate.page, bodyLimit({ maxSize: LARGEST_BODY }), (c) => gate.signIn(c));
  app.delete("/api/session", gate.page, (c) => gate.signOut(c));

  app.use("/api/*", async (_c, next) => {
    dependencies.onVisit();
    await next();
  });
  addLive(app, gate, dependencies);
  addViews(app, gate, dependencies);
  addActions(app, gate, dependencies);

  app.get("*", gate.page, createPage(pageFiles, policy.prefix));
  return app;
}

function addLive(app: Hono<Env>, gate: Gate, { watcher, signal }: AppDependencies): void {
  let watching = 0;
  app.get("/api/live", gate.data, (c) => {
    // Nobody reads what follows, so nothing would tell when it ends.
    if (c.req.method === "HEAD") return c.body(null, 200, { "content-type": "text/event-stream" });
    if (watching >= MOST_WATCHING) return c.json({ error: "too many pages are open" }, 503);
    watching++;
    return streamSSE(c, async (stream) => {
      const ending = new AbortController();
      const ends = AbortSignal.any([signal, ending.signal]);
      stream.onAbort(() => ending.abort());
      try {
        for (let [seen, told] = [0, -1]; !ends.aborted; ) {
          const { trouble, look } = watcher;
          const isNew = look > seen || trouble !== null || told < 0;
          if (isNew) {
            const data = trouble ?? { ...watcher.since(seen), ...(seen === 0 ? { sparks: watcher.sparks() } : {}) };
            await stream.writeSSE({
              event: trouble === null ? "look" : "trouble",
              data: JSON.stringify(data),
              retry: RETRY_MS,
            });
            if (trouble === null) seen = look;
            told = look;
          }
          // A look while it was written is sent at once.
          if (watcher.look === seen || trouble !== null) await watcher.next(ends);
        }
      } finally {
        watching--;
      }
    });
  });
}

function addViews(app: Hono<Env>, gate: Gate, { policy, client, watcher }: AppDependencies): void {
  const { mask } = policy;
  /** Nothing but what is shown can be read. */
  const address = (c: Context<Env>): { readonly stream: string; readonly group: string } => {
    const [stream, group] = [readName(c, "stream"), readName(c, "group")];
    if (!watcher.groups.some(([one, other]) => one === stream && other === group)) throw notShown();
    return { stream, group };
  };
  /** The same for what only one partition can show. */
  const single = (c: Context<Env>): ReturnType<typeof address> => {
    const of = address(c);
    refuseWhole(watcher, of.stream);
    return of;
  };
  app.get("/api/group", gate.data, (c) => {
    const { stream, group } = address(c);
    return c.json(watcher.group(stream, group, readNumber(c, "since", 0)) ?? {});
  });
  app.get("/api/letters/groups", gate.data, async (c) => c.json(await readLetterGroups(client, address(c))));
  app.get("/api/letters", gate.data, async (c) => {
    const before = readOptionalId(c, "before");
    const key = readOptionalName(c, "key");
    return c.json(await readLetters(client, { ...address(c), key, before, limit: readLimit(c), mask }));
  });
  app.get("/api/messages", gate.data, async (c) => {
    const stream = readName(c, "stream");
    if (!watcher.isWatched(stream)) throw notShown();
    refuseWhole(watcher, stream);
    const from = c.req.query("from") ?? null;
    if (from !== null && !/^\(?\d{1,20}(-\d{1,20})?$/.test(from)) throw wrong("from must be an id or a time in ms");
    const order = readOrder(c);
    // Further pages begin where the one before has ended.
    const reader = order === "next" && from === null ? address(c) : null;
    const next = reader === null ? from : await readNext(client, reader);
    if (reader !== null && next === null) throw notShown();
    const [field, value] = [readOptionalName(c, "field"), readOptionalName(c, "value") ?? ""];
    const query = { stream, newestFirst: order === "newest", limit: readLimit(c), field, value };
    const page = await readMessages(client, { ...query, from: next, mask });
    const command = field === null ? peekCommand({ ...query, from, group: reader?.group ?? null }) : null;
    return c.json({ ...page, command } satisfies ShownMessages);
  });
  app.get("/api/pending", gate.data, async (c) => {
    const from = c.req.query("from") ?? null;
    if (from !== null && !/^\(?\d{1,20}-\d{1,20}$/.test(from)) throw wrong("from must be an id");
    return c.json(
      await readPending(client, {
        ...{ ...single(c), from, limit: readLimit(c), consumer: readOptionalName(c, "consumer") },
        minDeliveries: readNumber(c, "minDeliveries", 0),
      }),
    );
  });
  app.get("/api/scaler", gate.data, async (c) => {
    const { stream, group } = address(c);
    return c.json({ orders: await readOrders(client, stream, group) });
  });
  const doctor = createDoctor({ client, allowActions: policy.allowActions, reports: () => watcher.reports });
  app.get("/api/doctor", gate.data, async (c) => c.json({ findings: await doctor() }));
  app.get("/api/log", gate.data, async (c) => {
    const all = await inTurns(watcher.groups, LOGS_AT_ONCE, ([stream, group]) =>
      nullIfUnreadable(readActions(client, stream, group)),
    );
    const actions = all.flatMap((some) => some ?? []).toSorted((one, other) => other.atMs - one.atMs);
    return c.json({ actions: actions.slice(0, SHOWN_ACTIONS) });
  });
}

function addActions(app: Hono<Env>, gate: Gate, { plans, groupActions, watcher }: AppDependencies): void {
  const limit = bodyLimit({ maxSize: LARGEST_BODY });
  const assertShown = (of: { readonly stream: string; readonly group: string }): void => {
    if (!watcher.groups.some(([stream, group]) => stream === of.stream && group === of.group)) throw notShown();
  };
  app.post("/api/plans", gate.act, limit, async (c) => {
    const wish: Wish = readWish(await readBody(c));
    assertShown(wish);
    return c.json(await plans.make(wish));
  });
  // The page shows it while somebody still chooses: how a shell quotes is known here.
  app.post("/api/group/command", gate.act, limit, async (c) => {
    const wish = readGroupWish(await readBody(c));
    return c.json({ command: groupCommand(wish, { ...wish, who: c.get("visitor").user }) });
  });
  app.post("/api/group/act", gate.act, limit, async (c) => {
    const wish = readGroupWish(await readBody(c));
    assertShown(wish);
    return c.json(await groupActions.act(wish, c.get("visitor").user));
  });
  const known = (plan: ReturnType<Plans["show"]>) => {
    if (plan === undefined) throw new HTTPException(404, { message: "this plan is not known any more" });
    return plan;
  };
  app.get("/api/plans/:id", gate.data, (c) => c.json(known(plans.show(c.req.param("id")))));
  app.post("/api/plans/:id/begin", gate.act, async (c) =>
    c.json(await plans.begin(c.req.param("id"), c.get("visitor").user)),
  );
  app.post("/api/plans/:id/stop", gate.act, (c) => c.json(known(plans.stop(c.req.param("id")))));
}

/** A stream beside the partitions has nothing: it would look as if there were no messages. */
function refuseWhole(watcher: Watcher, stream: string): void {
  const partitions = watcher.partitionsOf(stream);
  const [first] = partitions;
  if (first === undefined) return;
  const message = `this stream has ${partitions.length} partitions, and this shows one: ${quoteName(first)} is the first`;
  throw new HTTPException(409, { message });
}

function readOptionalId(c: Context, name: string): LetterId | null {
  const id = c.req.query(name);
  if (id === undefined) return null;
  if (parsePlacedId(id) === null) throw wrong(`${name} must be an entry id`);
  return id;
}

/** The path as the dashboard knows it. */
function withoutPrefix(path: string, prefix: string): string {
  return prefix !== "" && path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path;
}

const notShown = (): HTTPException => new HTTPException(404, { message: "there is no such stream or group here" });
const wrong = (message: string): HTTPException => new HTTPException(400, { message });

/** Says what went wrong, as far as it is the server's or the user's matter. */
function answerError(error: Error, c: Context, report: (event: DashboardEvent) => void): Response {
  if (error instanceof HTTPException) return c.json({ error: error.message }, error.status);
  if (NoGroupError.is(error)) return c.json({ error: error.message }, 404);
  if (UsageError.is(error)) return c.json({ error: error.message }, 409);
  report({ type: "requestFailed", path: c.req.path, error: toErrorInfo(error) });
  if (PermissionError.is(error)) return c.json({ error: error.message }, 502);
  if (RedisBatchError.is(error)) return c.json({ error: error.message }, error.retryable ? 503 : 502);
  return c.json({ error: "the dashboard could not answer; its log says why" }, 500);
}
