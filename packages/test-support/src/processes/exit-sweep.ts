/** Clean-ups still owed; run when this process exits before their owners got to it. */
const owed = new Set<() => void>();
let installed = false;

/** Owes a clean-up to the end of the process. The function returned says that it has been done. */
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
