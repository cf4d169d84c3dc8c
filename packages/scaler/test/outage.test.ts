/** A server that goes away and comes back, without its data: nobody is taken away, and the leader leads on. */
import { EventRecorder, eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { expect, it } from "vitest";
import { type Executor, Scaler, type ScalerEvent } from "../src/index.ts";

const redis = useServer({ own: true });

it("changes nothing while the server is away, and goes on with what it knows when it is back with nothing", async () => {
  const { server } = redis;
  const stream = uniqueName("stream");
  const fill = async (): Promise<void> => {
    await server.command("XGROUP", "CREATE", stream, "group", 0, "MKSTREAM");
    await server.command("XADD", stream, "*", "n", 1);
  };
  await fill();
  const ordered: number[] = [];
  let resigned = 0;
  const executor: Executor = {
    name: "numbers",
    async status() {
      const desired = ordered.at(-1) ?? 1;
      return { desired, ready: desired, startingMs: [], startUpsMs: [] };
    },
    async scale({ desired }) {
      ordered.push(desired);
    },
    async onLeadershipLost() {
      resigned++;
    },
  };
  const events = new EventRecorder<ScalerEvent>();
  await using scaler = new Scaler({
    ...{ redis: server.options, stream, group: "group", observer: events.observe },
    ...{ strategy: "ratio", scaleOutCooldownMs: 600_000 },
  });
  const run = scaler.run({ intervalMs: 100, leaseMs: 1_000, executor });
  await events.waitFor("scaled");
  await server.kill();
  await eventually("it cannot look", () => events.all("passFailed").length > 1);
  const before = events.all("decided").length;
  await server.restart();
  await fill();
  await eventually("it decides again", () => events.all("decided").length > before + 1);
  // The server has forgotten what it left there, and it has not: there was a move just now.
  expect(events.all("decided").at(-1)?.decision).toMatchObject({ binding: "cooldown", current: 2, desired: 2 });
  expect(ordered).toEqual([2]);
  expect(resigned).toBe(0);
  expect(events.all("following")).toEqual([]);
  // A receiver that carried out its orders would refuse those with a lower number.
  expect(events.all("leading").map(({ term }) => term)).toEqual([1, 2]);
  await scaler.close();
  await run;
});
