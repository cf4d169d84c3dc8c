/** What happens next: events by their time, the earliest first. */
export class EventQueue<Event> {
  readonly #times: number[] = [];
  readonly #events: Event[] = [];

  /** When the next event is; `Infinity` when there is none. */
  get nextAt(): number {
    return this.#times[0] ?? Number.POSITIVE_INFINITY;
  }

  push(at: number, event: Event): void {
    const times = this.#times;
    const events = this.#events;
    let place = times.length;
    times.push(at);
    events.push(event);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = times[parent] as number;
      if (above <= at) break;
      times[place] = above;
      events[place] = events[parent] as Event;
      place = parent;
    }
    times[place] = at;
    events[place] = event;
  }

  /** Takes the next event; `undefined` when there is none. */
  pop(): Event | undefined {
    const times = this.#times;
    const events = this.#events;
    const first = events[0];
    const lastAt = times.pop();
    const last = events.pop();
    const size = times.length;
    if (size === 0 || lastAt === undefined) return first;
    let place = 0;
    for (let child = 1; child < size; child = 2 * place + 1) {
      if (child + 1 < size && (times[child + 1] as number) < (times[child] as number)) child++;
      if ((times[child] as number) >= lastAt) break;
      times[place] = times[child] as number;
      events[place] = events[child] as Event;
      place = child;
    }
    times[place] = lastAt;
    events[place] = last as Event;
    return first;
  }
}
