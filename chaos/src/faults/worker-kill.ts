import type { Fault } from "./fault.ts";

/** SIGKILL, wherever the worker is. */
export const workerKill: Fault = {
  target: "worker",
  strike: (_scene, place, { keepsName }) => Promise.resolve(place.kill(keepsName)),
};
