/** What a script can tell from how the program ended. Documented in `docs/cli.md`, which is made from this. */
export const EXIT_CODES = {
  ok: {
    code: 0,
    meaning: "done; also when the reader of the output has gone away, and after a first Ctrl-C has drained",
  },
  failed: { code: 1, meaning: "something else went wrong" },
  usage: { code: 2, meaning: "wrong arguments, options or configuration, or input that cannot be read" },
  unreachable: { code: 3, meaning: "no connection to the server, or it refuses for now; trying again may help" },
  denied: { code: 4, meaning: "wrong user or password, or a right is missing" },
  missing: { code: 5, meaning: "the stream, group, consumer, letter or context is not there, or the key is no stream" },
  refused: { code: 6, meaning: "nothing was changed: the plan needs `--yes`, or what was asked for is not safe" },
  interrupted: { code: 130, meaning: "ended by Ctrl-C before it was done" },
} as const satisfies Readonly<Record<string, { readonly code: number; readonly meaning: string }>>;

export type ExitName = keyof typeof EXIT_CODES;
