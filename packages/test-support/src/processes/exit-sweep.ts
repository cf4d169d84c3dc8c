/** Pending clean-ups; run when this process exits before their owners have run them. */
const owed = new Set<() => void>();
let installed = false;

/** Registers a clean-up for the end of the process. The returned function unregisters it. */
export function atExit(cleanUp: () => void): () => void {
  if (!installed) {
    installed = true;
    process.on("exit", () => {
      for (const cleanUpOwed of [...owed].toReversed()) cleanUpOwed();
    });
  }
  owed.add(cleanUp);
  return () => void owed.delete(cleanUp);
}
