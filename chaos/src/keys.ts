/** The keys in which a group has what belongs to it beside the stream. */

export function deadLettersOf(stream: string, group: string): string {
  return `rb:{${tagOf(stream)}}:dead:${stream}:${group}`;
}

export function registryOf(stream: string, group: string): string {
  return `rb:{${tagOf(stream)}}:consumers:${stream}:${group}`;
}

/** A key that nothing uses, in the slot of the stream. */
export function unusedKeyOf(stream: string): string {
  return `{${tagOf(stream)}}:nothing`;
}

/** The part of its name that decides about its slot in a Cluster. */
function tagOf(stream: string): string {
  return /\{([^}]+)\}/.exec(stream)?.[1] ?? stream;
}
