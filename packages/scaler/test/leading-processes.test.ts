/** Scalers as processes of their own, of which the leader is killed, or stopped for longer than its lease. */
import { eventually, runWorker, uniqueName, useServer } from "@redis-batch/test-support";
import { expect, it } from "vitest";

const redis = useServer();

interface Given {
  readonly who: string;
  readonly term: number;
  readonly sequence: number;
}

async function bench() {
  const { server } = redis;
  const [stream, orders] = [uniqueName("stream"), uniqueName("orders")];
  await server.command("XGROUP", "CREATE", stream, "group", 0, "MKSTREAM");
  await server.command("XADD", stream, "*", "n", 1);
  const given = async (): Promise<Given[]> => {
    const entries = (await server.command("XRANGE", orders, "-", "+")) as [string, string[]][];
    return entries.map(([, [, who = "", , term, , sequence]]) => ({
      ...{ who, term: Number(term), sequence: Number(sequence) },
    }));
  };
  return {
    given,
    start: (name: string) =>
      runWorker(new URL("scaler.worker.ts", import.meta.url), {
        env: { REDIS_URL: server.url, STREAM: stream, GROUP: "group", ORDERS: orders, NAME: name },
      }),
    gives: (name: string) =>
      eventually(`${name} gives orders`, async () => (await given()).some(({ who }) => who === name)),
  };
}

/** Orders of an earlier leader than one before, and those that do not follow on the one before of the same leader. */
function outOfTurn(given: readonly Given[]): readonly Given[] {
  return given.filter(({ term, sequence }, at) => {
    const before = given[at - 1] ?? { term: 0, sequence: 0 };
    return term < before.term || (term === before.term && sequence !== before.sequence + 1);
  });
}

it("another one leads when the leader was killed", async () => {
  const { start, gives, given } = await bench();
  await using first = await start("first");
  await gives("first");
  await using second = await start("second");
  await second.waitForLine(/"following"/);
  first.kill();
  await gives("second");
  expect((await given()).at(-1)).toMatchObject({ who: "second", term: 2 });
  expect(outOfTurn(await given())).toEqual([]);
});

it("a leader that was stopped for longer than its lease gives no order any more", async () => {
  const { start, gives, given } = await bench();
  await using first = await start("first");
  await gives("first");
  await using second = await start("second");
  await second.waitForLine(/"following"/);
  // Between two looks: what it was stopped in the middle of is `leading.test.ts`.
  await first.waitForLine(/"scaled"/, { after: first.lines.length });
  first.kill("SIGSTOP");
  await gives("second");
  const before = first.lines.length;
  first.kill("SIGCONT");
  await first.waitForLine(/"following"/, { after: before });
  expect(outOfTurn(await given())).toEqual([]);
  second.kill();
  await first.waitForLine(/"leading","term":3/, { after: before });
  await eventually("the first one gives orders again", async () => (await given()).at(-1)?.term === 3);
  expect(outOfTurn(await given())).toEqual([]);
});
