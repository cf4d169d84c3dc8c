/** The role of the dashboard: with its rights everything works, and the server refuses nothing. */
import { aclRules } from "@redis-batch/core/internal/connection";
import type { Finding } from "@redis-batch/core/internal/diagnosis";
import { eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { type DashboardEvent, startDashboard } from "../src/index.ts";

const redis = useServer({
  users: [{ name: "default", password: "all", rules: "~* &* +@all" }],
  speakAs: "default",
});

it.each([
  ["who looks", [], 502],
  ["who acts", ["payloads", "discard", "redrive", "add", "pause"], 200],
] as const)("%s is refused nothing that the role has", async (_who, extras, letters) => {
  const stream = uniqueName("rights");
  const command = redis.server.command.bind(redis.server);
  const id = String(await command("XADD", stream, "*", "a", "1"));
  await command("XGROUP", "CREATE", stream, "g", "$");
  const history = ["id", id, "consumer", "c", "deliveries", "1", "reason", "rejected", "error", "e", "at", "1"];
  const letter = history.map((word, at) => (at % 2 === 0 ? `dead.${word}` : word));
  for (let n = 0; n < 2; n++) await command("XADD", `rb:{${stream}}:dead:${stream}:g`, "*", "a", "1", ...letter);
  const rules = aclRules("dashboard", stream, { extras });
  await command("ACL", "SETUSER", "dash", "reset", "resetchannels", "on", ">pw", ...rules);
  await command("ACL", "LOG", "RESET");
  const events: DashboardEvent[] = [];
  await using server = await startDashboard({
    ...{ redis: { port: redis.server.port, username: "dash", password: "pw" }, streams: [stream], port: 0 },
    ...{ allowActions: true, intervalMs: 500, observer: (event) => events.push(event) },
  });
  const ask = (path: string, body?: object) =>
    fetch(`${server.url}api/${path}`, {
      ...(body === undefined
        ? {}
        : { method: "POST", body: JSON.stringify(body), headers: { origin: server.url.slice(0, -1) } }),
    });
  const of = `stream=${stream}&group=g`;
  await eventually("the group was looked at", async () => (await ask(`group?${of}`)).ok);
  for (const path of [`pending?${of}`, `scaler?${of}`, "log"])
    expect([path, (await ask(path)).status]).toEqual([path, 200]);
  // What is only granted on request is said to be missing, with the rule.
  for (const path of [`letters?${of}`, `messages?${of}`])
    expect([path, (await ask(path)).status]).toEqual([path, letters]);
  if (letters !== 200) return;
  expect(await command("ACL", "LOG")).toEqual([]);
  for (const action of ["redrive", "discard"]) {
    const plan = (await (await ask("plans", { action, stream, group: "g", all: true, limit: 1 })).json()) as object;
    expect(plan).toMatchObject({ letters: 1 });
    expect((await ask(`plans/${(plan as { readonly id: string }).id}/begin`, {})).status).toBe(200);
    await eventually(`the ${action} has ended`, async () => {
      return events.some((event) => event.type === "acted" && event.action === action && event.left === 0);
    });
  }
  const acts = [
    { action: "pause", forMs: 60_000, reason: "a test" },
    { action: "resume" },
    { action: "rate", limit: { messages: 5, perMs: 1_000 } },
    { action: "rate", limit: null },
  ];
  for (const act of acts) {
    expect([act, (await ask("group/act", { ...act, stream, group: "g" })).status]).toEqual([act, 200]);
  }
  expect(await command("ACL", "LOG")).toEqual([]);
});

describe("the doctor", () => {
  const MISSING = /cannot be a viewer of the dashboard|but not for: discarding/;

  it.each([
    ["says that rights are unknown where nobody may ask for them", [], /^it is unknown whether this user can be/],
    ["names those that are missing for what people may do", ["+acl|whoami", "+acl|dryrun"], MISSING],
  ])("%s", async (_what, more, says) => {
    const stream = uniqueName("doctor");
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0", "MKSTREAM");
    const rules = [...aclRules("dashboard", stream, { extras: ["payloads"] }), ...more];
    await redis.server.command("ACL", "SETUSER", "ill", "reset", "resetchannels", "on", ">pw", ...rules);
    await using server = await startDashboard({
      ...{ redis: { port: redis.server.port, username: "ill", password: "pw" }, streams: [stream], port: 0 },
      ...{ allowActions: true, intervalMs: 500, observer: () => {} },
    });
    await eventually("the group was looked at", async () => {
      return (await fetch(`${server.url}api/group?stream=${stream}&group=g`)).ok;
    });
    const { findings } = (await (await fetch(`${server.url}api/doctor`)).json()) as { readonly findings: Finding[] };
    expect(findings.filter(({ area }) => area === "rights").map(({ finding }) => finding)).toEqual([
      expect.stringMatching(says),
    ]);
  });
});
