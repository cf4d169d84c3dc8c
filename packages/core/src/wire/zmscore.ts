import { ReplyShapeError } from "../errors/errors.ts";
import type { Command } from "./command.ts";
import { decodeArray, decodeScore } from "./reply.ts";

/** ZMSCORE key member … → each member's score, in their order; `null` if it has none, or the key does not exist. */
export const zmscore: Command<
  { readonly key: string; readonly members: readonly string[] },
  readonly (number | null)[]
> = {
  name: "zmscore",
  encode: ({ key, members }) => [key, ...members],
  decode(reply, { members }) {
    const scores = decodeArray(reply, "ZMSCORE");
    if (scores.length !== members.length) {
      throw new ReplyShapeError(`ZMSCORE: ${scores.length} scores for ${members.length} members`);
    }
    return scores.map((score) => (score === null || score === undefined ? null : decodeScore(score, "ZMSCORE")));
  },
};
