/**
 * The sink behind the handler, as the ends of batches show it. Each stream of a consumer has its own view of it, because different
 * streams may go to different sinks. The partitions of one stream share one: otherwise each would have to find out by itself, and spend
 * deliveries on it, that the sink is down.
 */
import { type Breaker, CLOSED } from "../decisions/breaker.ts";

/** One stream that looks at the sink. */
interface Viewer {
  /** Another one has changed the breaker. */
  readonly changed: () => void;
  /** Whether it tries one message now, because the sink seems to be down. */
  readonly isProbing: () => boolean;
}

export class Sink {
  readonly #viewers = new Set<Viewer>();
  #breaker: Breaker = CLOSED;

  get breaker(): Breaker {
    return this.#breaker;
  }

  /** → takes it out again. */
  view(viewer: Viewer): () => void {
    this.#viewers.add(viewer);
    return () => this.#viewers.delete(viewer);
  }

  change(breaker: Breaker, by: Viewer): void {
    this.#breaker = breaker;
    for (const viewer of this.#viewers) if (viewer !== by) viewer.changed();
  }

  isProbingElsewhere(viewer: Viewer): boolean {
    for (const other of this.#viewers) if (other !== viewer && other.isProbing()) return true;
    return false;
  }
}
