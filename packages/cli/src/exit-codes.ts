/** The exit codes. `docs/cli.md` is made from them. */
export const EXIT_CODES = {
  ok: {
    code: 0,
    meaning: "success; also if the reader of the output has closed it, and after a first Ctrl-C has drained",
  },
  failed: { code: 1, meaning: "any other error" },
  usage: { code: 2, meaning: "wrong arguments, options or configuration, or input that cannot be read" },
  unreachable: {
    code: 3,
    meaning: "no connection to the server, or it temporarily refuses commands; retrying may help",
  },
  denied: { code: 4, meaning: "wrong user or password, or a right is missing" },
  missing: {
    code: 5,
    meaning: "the stream, group, consumer, dead letter or context does not exist, or the key is not a stream",
  },
  refused: {
    code: 6,
    meaning: "nothing changed, or a part is left: the plan needs `--yes`, or the rest is not possible or not safe now",
  },
  interrupted: { code: 130, meaning: "ended by Ctrl-C before it was finished" },
} as const satisfies Readonly<Record<string, { readonly code: number; readonly meaning: string }>>;

export type ExitName = keyof typeof EXIT_CODES;
