import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideSurplus, type Load, patienceOf } from "./surplus.ts";

const idle: Load = {
  ...{ isDraining: false, isPaused: false, isBackingOff: false },
  ...{ handlersHung: 0, places: 2, freePlaces: 0, oldestOfferableMs: null },
};

describe("decideSurplus", () => {
  it("releases what waited too long only while no place here is free, and only for a free place elsewhere", () => {
    const late = { ...idle, oldestOfferableMs: 5_001 };
    expect(decideSurplus(late, 5_000)).toEqual({ kind: "waited", why: "read-ahead", for: "a free place" });
    expect(decideSurplus({ ...late, freePlaces: 1 }, 5_000)).toEqual({ kind: "nothing" });
    expect(decideSurplus({ ...late, oldestOfferableMs: 5_000 }, 5_000)).toEqual({ kind: "nothing" });
  });

  it("gives everything to any consumer that is alive while everything fails and the next attempt has to wait", () => {
    const surplus = decideSurplus({ ...idle, isBackingOff: true }, 0);
    expect(surplus).toEqual({ kind: "all", why: "backing-off", for: "another consumer" });
  });

  it("keeps nothing when all handlers hang, with or without another consumer, and everything else while one does not", () => {
    expect(decideSurplus({ ...idle, handlersHung: 2 }, 0)).toEqual({
      kind: "all",
      why: "held-too-long",
      for: "nobody",
    });
    expect(decideSurplus({ ...idle, handlersHung: 1 }, 0)).toEqual({ kind: "nothing" });
  });

  it("gives all back when it drains, and when it is paused while another consumer is alive", () => {
    const held = { ...idle, isPaused: true, isBackingOff: true, handlersHung: 2 };
    expect(decideSurplus({ ...held, isDraining: true }, 0)).toMatchObject({ why: "draining", for: "nobody" });
    expect(decideSurplus({ ...idle, isPaused: true }, 0)).toEqual({
      kind: "all",
      why: "paused",
      for: "another consumer",
    });
  });

  it("gives nothing back from a consumer that can work on it, however long it has waited", () => {
    const anyAge = fc.option(fc.integer({ min: 0, max: 1_000_000 }));
    const anyPlaces = fc.integer({ min: 1, max: 100 });
    fc.assert(
      fc.property(anyAge, anyPlaces, anyPlaces, (oldestOfferableMs, places, free) => {
        const freePlaces = Math.min(free, places);
        expect(decideSurplus({ ...idle, places, freePlaces, oldestOfferableMs }, 1_000)).toEqual({ kind: "nothing" });
      }),
    );
  });
});

describe("patienceOf", () => {
  it("is the batch's own wait, and a second at least", () => {
    expect([0, 999, 1_000, 5_000].map(patienceOf)).toEqual([1_000, 1_000, 1_000, 5_000]);
  });
});
