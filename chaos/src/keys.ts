/** The keys in which a group has what belongs to it beside the stream. */

export function deadLettersOf(stream: string, group: string): string {
  return `rb:{${stream}}:dead:${stream}:${group}`;
}

export function registryOf(stream: string, group: string): string {
  return `rb:{${stream}}:consumers:${stream}:${group}`;
}
