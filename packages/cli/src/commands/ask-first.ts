import { createInterface } from "node:readline/promises";
import type { Invocation } from "../command.ts";
import type { Server } from "../connection/open.ts";
import { Failure } from "../failure.ts";

type Call = Pick<Invocation, "signal"> & { readonly options: { readonly yes: boolean } };

/**
 * For what loads a server or writes to it only to show something: on another machine it may be the one that everybody uses.
 *
 * @throws {Failure} when the person says no, or nobody can be asked
 */
export async function askFirst({ options, signal }: Call, { address, isLocal }: Server, does: string): Promise<void> {
  if (isLocal || options.yes) return;
  const refuse = (): Failure =>
    new Failure(
      "refused",
      `the server is not on this machine: ${address}`,
      "--yes does it all the same; --url selects another server",
    );
  if (!process.stdin.isTTY) throw refuse();
  const questions = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await questions.question(`This ${does} ${address}. Continue? [y/N] `, { signal });
    if (!/^y(es)?$/i.test(answer.trim())) throw refuse();
  } finally {
    questions.close();
  }
}
