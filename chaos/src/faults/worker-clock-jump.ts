import type { Fault } from "./fault.ts";

/** The machine's clock jumps, as the worker sees it. */
export const workerClockJump: Fault = {
  target: "worker",
  strike: (_scene, place, { jumpMs }) => Promise.resolve(place.tell(`clock ${jumpMs}`)),
};
