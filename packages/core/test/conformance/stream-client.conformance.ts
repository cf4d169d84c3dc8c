import { beforeEach, describe } from "vitest";
import { describeAddingOnce } from "./adding-once.conformance.ts";
import { describeBlocking } from "./blocking.conformance.ts";
import { describeConnecting } from "./connecting.conformance.ts";
import { describeDeadLetters } from "./dead-letters.conformance.ts";
import { describePuttingOff } from "./deferring.conformance.ts";
import { describeDeletion } from "./deletion.conformance.ts";
import { describeEntries } from "./entries.conformance.ts";
import { describeGroups } from "./groups.conformance.ts";
import { describeManyIds } from "./many-ids.conformance.ts";
import { describeNames } from "./names.conformance.ts";
import { describeOwnMessages } from "./own-messages.conformance.ts";
import { describePartitions } from "./partitions.conformance.ts";
import { describeRedriving } from "./redriving.conformance.ts";
import { describeRegistry } from "./registry.conformance.ts";
import { describeReleasing } from "./releasing.conformance.ts";
import { Scene, type Setting } from "./setting.ts";

export type { Setting, SideDoor } from "./setting.ts";

/**
 * What every `StreamClient` does, whatever is behind it: one test per documented meaning of the port. Where servers
 * differ, the tests ask for what the port documents.
 */
export function describeStreamClient(name: string, open: () => Promise<Setting>): void {
  describe(`StreamClient over ${name}`, () => {
    let current: Scene;
    beforeEach(async () => {
      current = new Scene(await open());
    });
    const scene = (): Scene => current;

    describeConnecting(scene);
    describeEntries(scene);
    describeGroups(scene);
    describeNames(scene);
    describeBlocking(scene);
    describeOwnMessages(scene);
    describeReleasing(scene);
    describePuttingOff(scene);
    describeDeadLetters(scene);
    describeRedriving(scene);
    describeRegistry(scene);
    describePartitions(scene);
    describeDeletion(scene);
    describeAddingOnce(scene);
    describeManyIds(scene);
  });
}
