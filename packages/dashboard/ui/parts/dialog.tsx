import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface DialogProperties {
  readonly title: string;
  /** Called when it was closed, by whatever means. */
  readonly onClose: () => void;
  /** @param close closes it */
  readonly children: (close: () => void) => ComponentChildren;
}

/** A dialog above the page: the rest cannot be reached until it is closed, and Escape closes it. */
export function Dialog({ title, onClose, children }: DialogProperties) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  return (
    <dialog ref={dialog} class="plan" aria-labelledby="dialog-title" onClose={onClose}>
      <h2 id="dialog-title">{title}</h2>
      {children(() => dialog.current?.close())}
    </dialog>
  );
}
