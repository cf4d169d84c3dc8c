/** Chance that can be repeated: the same seed gives the same sequence on every machine. */

import type { Random } from "@redis-batch/core/internal/service";

const WARM_UP = 16;

/** A generator with 128 bits of state (sfc32): enough for millions of numbers without a pattern. */
export function seededChance(seed: number): Random {
  let a = 0x9e3779b9 ^ seed;
  let b = 0x243f6a88 ^ (seed << 7);
  let c = 0xb7e15162 ^ (seed << 13);
  let counter = seed | 1;
  const next = (): number => {
    const mixed = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + mixed) | 0;
    return (mixed >>> 0) / 4_294_967_296;
  };
  for (let round = 0; round < WARM_UP; round++) next();
  return next;
}

/** Normally distributed, mean 0, deviation 1. */
export function normal(random: Random): number {
  let uniform = 0;
  while (uniform === 0) uniform = random();
  return Math.sqrt(-2 * Math.log(uniform)) * Math.cos(2 * Math.PI * random());
}

/** Lognormally distributed: never negative, now and then long, as work and start-ups are. */
export function lognormal(random: Random, mean: number, variation: number): number {
  const variance = Math.log(1 + variation * variation);
  return Math.exp(Math.log(mean) - variance / 2 + Math.sqrt(variance) * normal(random));
}

/** A Poisson-distributed count. */
export function poisson(random: Random, mean: number): number {
  if (mean <= 0) return 0;
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}
