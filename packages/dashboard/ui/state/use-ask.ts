import { useEffect, useRef, useState } from "preact/hooks";
import { ask, type Parameters } from "./api.ts";

export interface Asked<Answer> {
  readonly data: Answer | null;
  readonly error: string | null;
  readonly isLoading: boolean;
  readonly again: () => void;
}

/** Asks when `path` or the parameters change, and when `tick` does. The last answer stays until the next one is there. */
export function useAsk<Answer>(path: string, parameters: Parameters, tick: unknown = 0): Asked<Answer> {
  const [state, setState] = useState<Omit<Asked<Answer>, "again">>({ data: null, error: null, isLoading: true });
  const [count, setCount] = useState(0);
  const key = `${path} ${JSON.stringify(parameters)}`;
  const shown = useRef(key);
  useEffect(() => {
    const ending = new AbortController();
    const isOther = shown.current !== key;
    shown.current = key;
    setState((before) => ({ data: isOther ? null : before.data, error: before.error, isLoading: true }));
    const load = async (): Promise<void> => {
      try {
        const data = await ask<Answer>(path, { parameters, signal: ending.signal });
        if (!ending.signal.aborted) setState({ data, error: null, isLoading: false });
      } catch (error) {
        if (ending.signal.aborted) return;
        setState((before) => ({ ...before, error: error instanceof Error ? error.message : "", isLoading: false }));
      }
    };
    void load();
    return () => ending.abort();
  }, [key, tick, count]);
  return { ...state, again: () => setCount((before) => before + 1) };
}
