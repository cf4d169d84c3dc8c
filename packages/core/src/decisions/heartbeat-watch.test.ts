import { describe, expect, test } from "vitest";
import { followHeartbeats, type HeartbeatWatch, heartbeatMsOf, NO_HEARTBEATS } from "./heartbeat-watch.ts";

const LEASE_MS = 60_000;
const THREE_BEATS_MS = 15_000;
/** A moment by the server's clock, and the same one by the local clock. */
const [SERVER_MS, LOCAL_MS] = [1_700_000_000_000, 5_000];

/** Looks one after the other, each after this many milliseconds, at a heartbeat that was written at these server times. */
class Looks {
  #watch: HeartbeatWatch = NO_HEARTBEATS;
  #elapsedMs = 0;
  /** How far the server's clock has been set. */
  jumpedMs = 0;
  steadySinceMs = 0;

  get localNowMs(): number {
    return LOCAL_MS + this.#elapsedMs;
  }

  /** What is thought of "c" after `elapsedMs` more, its heartbeat being of so long after the beginning. */
  after(elapsedMs: number, heartbeatAtMs: number, { incarnation = "i", leaseMs = LEASE_MS } = {}) {
    this.#elapsedMs += elapsedMs;
    const registry = new Map([["c", { atMs: SERVER_MS + heartbeatAtMs, leaseMs, incarnation }]]);
    const look = {
      ...{ serverNowMs: SERVER_MS + this.#elapsedMs + this.jumpedMs, localNowMs: this.localNowMs },
      steadySinceMs: this.steadySinceMs,
    };
    const { watch, verdicts } = followHeartbeats(this.#watch, registry, look);
    this.#watch = watch;
    return verdicts.get("c");
  }
}

describe("heartbeatMsOf", () => {
  test.each([
    [60_000, 5_000],
    [15_000, 5_000],
    [14_999, 4_999],
    [1_000, 333],
    [2, 0],
  ])("a lease of %i ms has a heartbeat each %i ms", (leaseMs, heartbeatMs) => {
    expect(heartbeatMsOf(leaseMs)).toBe(heartbeatMs);
  });
});

describe("followHeartbeats", () => {
  test("a heartbeat that moves is alive, and its time is released for the scripts", () => {
    const looks = new Looks();
    expect(looks.after(0, 0)).toEqual({ life: "alive", seenAtMs: SERVER_MS, unmovedMs: 0 });
    for (let heartbeat = 1; heartbeat <= 50; heartbeat++) {
      expect(looks.after(5_000, heartbeat * 5_000)).toMatchObject({
        life: "alive",
        seenAtMs: SERVER_MS + heartbeat * 5_000,
      });
    }
  });

  test("one that stops is silent after three heartbeats, and dead after its lease", () => {
    const looks = new Looks();
    looks.after(0, 0);
    expect(looks.after(THREE_BEATS_MS - 1, 0)).toMatchObject({ life: "alive", unmovedMs: THREE_BEATS_MS - 1 });
    expect(looks.after(1, 0)?.life).toBe("silent");
    expect(looks.after(LEASE_MS - THREE_BEATS_MS - 1, 0)?.life).toBe("silent");
    expect(looks.after(1, 0)).toMatchObject({ life: "dead", seenAtMs: SERVER_MS, unmovedMs: LEASE_MS });
  });

  test("one that is old at the first look is dead three heartbeats later, not at once", () => {
    const looks = new Looks();
    const long = -10 * LEASE_MS;
    expect(looks.after(0, long)?.life).toBe("silent");
    expect(looks.after(THREE_BEATS_MS - 1, long)?.life).toBe("silent");
    expect(looks.after(1, long)?.life).toBe("dead");
  });

  test("one from the future is dead once it was seen unmoved for its lease", () => {
    const looks = new Looks();
    const far = 1_000 * LEASE_MS;
    expect(looks.after(0, far)?.life).toBe("alive");
    expect(looks.after(LEASE_MS - 1, far)?.life).toBe("silent");
    expect(looks.after(1, far)?.life).toBe("dead");
  });

  test("a server whose clock jumps makes nobody dead that goes on beating", () => {
    for (const jumpedMs of [3_600_000, -3_600_000]) {
      const looks = new Looks();
      looks.after(0, 0);
      looks.jumpedMs = jumpedMs;
      expect(looks.after(4_000, 0)?.life).not.toBe("dead");
      expect(looks.after(1_000, 5_000 + jumpedMs)?.life).toBe("alive");
    }
  });

  test("what was seen before the connection stood does not count", () => {
    const looks = new Looks();
    const long = -10 * LEASE_MS;
    looks.after(0, long);
    looks.after(14_000, long);
    looks.steadySinceMs = looks.localNowMs + 1;
    expect(looks.after(100_000, long)).toMatchObject({ life: "silent", unmovedMs: 0 });
    expect(looks.after(THREE_BEATS_MS - 1, long)?.life).toBe("silent");
    expect(looks.after(1, long)?.life).toBe("dead");
  });

  test("another incarnation with the same time is another heartbeat", () => {
    const looks = new Looks();
    looks.after(0, 0);
    expect(looks.after(LEASE_MS, 0, { incarnation: "j" })).toMatchObject({ unmovedMs: 0 });
  });

  test("each is judged by its own lease, which may change", () => {
    const looks = new Looks();
    looks.after(0, 0);
    expect(looks.after(3_000, 0, { leaseMs: 3_000 })?.life).toBe("dead");
    expect(looks.after(0, 0, { leaseMs: 10_000 })?.life).toBe("alive");
  });

  test("who is not registered is not watched", () => {
    const first = followHeartbeats(
      NO_HEARTBEATS,
      new Map([["c", { atMs: SERVER_MS, leaseMs: LEASE_MS, incarnation: "i" }]]),
      { serverNowMs: SERVER_MS, localNowMs: 0, steadySinceMs: 0 },
    );
    const second = followHeartbeats(first.watch, new Map(), {
      serverNowMs: SERVER_MS,
      localNowMs: 1,
      steadySinceMs: 0,
    });
    expect([second.watch.size, second.verdicts.size]).toEqual([0, 0]);
  });
});
