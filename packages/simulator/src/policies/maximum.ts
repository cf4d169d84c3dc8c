import type { Policy } from "../policy.ts";

/** As late as one must be: what is not on time here is on time with no number of consumers. Needs no decision, only money. */
export const maximum: Policy = {
  name: "maximum",
  title: "the maximum number of consumers all the time: who is late here is late at any price",
  interval: 15,
  wakesAfter: null,
  start: ({ maxConsumers }) => ({ decide: () => maxConsumers }),
};
