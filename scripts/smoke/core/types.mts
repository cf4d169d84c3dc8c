// What a TypeScript user of the package sees; compiled against the packed declarations by several compilers.
import { jsonCodec, Producer, type ProducerOptions } from "@redis-batch/core";
import { didYouMean } from "@redis-batch/core/internal/options";
import { type VerifySignatureOptions, verifySignature } from "@redis-batch/core/web";
import { create } from "./types.cjs";

const options = { redis: "redis://localhost", stream: "orders" };

/** One message. */
export async function produce(): Promise<string> {
  const producer = new Producer({ ...options, codec: jsonCodec<{ readonly n: number }>() });
  const id: string = await producer.add({ n: 1 });
  await producer.close();
  return id;
}

/** What the other packages use. */
export const hint: string | undefined = didYouMean("strem", ["stream"]);
export const verify: (options: VerifySignatureOptions) => boolean = verifySignature;

// One class, whichever way it is loaded.
export const created: Producer = create();

// Declarations that could not be resolved would be `any`, and allow this.
// @ts-expect-error stream is a text
export const wrong = (): unknown => new Producer({ ...options, stream: 7 });

// With exactOptionalPropertyTypes: an option may be given as undefined, as process.env has it.
type Unset<Options> = {
  [Name in keyof Options]: object extends Pick<Options, Name> ? Options[Name] | undefined : Options[Name];
};
export const unset = (given: Unset<ProducerOptions>): ProducerOptions => given;
