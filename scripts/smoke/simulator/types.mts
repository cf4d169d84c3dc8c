// What a TypeScript user of the package sees; compiled against the packed declarations by several compilers.
import { type CompareOptions, compare, POLICIES, type Policy, type Row } from "@redis-batch/simulator";
import { create } from "./types.cjs";

/** The observation is the scaler's, and `null` where nothing is known. */
export const steady: Policy = {
  ...{ name: "steady", title: "as many as wait", interval: 15, wakesAfter: null },
  start: () => ({ decide: (look) => look.observe().waiting ?? look.current }),
};

/** All of them on one trace. */
export async function outcomes(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for await (const row of compare({ policies: [...POLICIES, steady], scenarios: [create()], seeds: [1] }))
    rows.push(row);
  return rows;
}

// Declarations that could not be resolved would be `any`, and allow this.
// @ts-expect-error seeds are numbers
export const wrong: CompareOptions = { policies: POLICIES, scenarios: [create()], seeds: ["one"] };

// With exactOptionalPropertyTypes: an option may be given as undefined, as process.env has it.
type Unset<Options> = {
  [Name in keyof Options]: object extends Pick<Options, Name> ? Options[Name] | undefined : Options[Name];
};
export const unset = (given: Unset<CompareOptions>): CompareOptions => given;
