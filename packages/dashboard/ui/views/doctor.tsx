import type { Finding, Severity } from "@redis-batch/core/internal/diagnosis";
import { Shape, Text, type Tone, Waiting } from "../parts/basics.tsx";
import { useAsk } from "../state/use-ask.ts";

const TONES: Readonly<Record<Severity, Tone>> = {
  problem: "bad",
  warning: "warn",
  unknown: "quiet",
  info: "quiet",
  ok: "good",
};
const ORDER = Object.keys(TONES);

/** What is wrong with the server, with rights and with groups, the worst first. */
export function DoctorView() {
  const asked = useAsk<{ readonly findings: readonly Finding[] }>("doctor", {});
  return (
    <>
      <div class="heading">
        <h1 tabIndex={-1}>Doctor</h1>
        <p class="summary">
          The server, or each master of a Cluster, the rights of the user as whom the dashboard is signed in, and the
          groups.
        </p>
        <button type="button" class="plain" onClick={asked.again}>
          Refresh
        </button>
      </div>
      {asked.data === null ? (
        <Waiting error={asked.error} again={asked.again} />
      ) : (
        <Findings of={asked.data.findings} />
      )}
    </>
  );
}

function Findings({ of }: { readonly of: readonly Finding[] }) {
  const worstFirst = of.toSorted((one, other) => ORDER.indexOf(one.severity) - ORDER.indexOf(other.severity));
  return (
    <ul class="messages findings">
      {worstFirst.map(({ area, severity, finding, fix }, at) => (
        <li key={at}>
          <span class={`status ${TONES[severity]}`}>
            <Shape of={TONES[severity]} />
            {severity}
          </span>
          <div>
            <b>
              <Text of={area} />
            </b>
            <p>
              <Text of={finding} />
            </p>
            {fix !== null && (
              <p class="quiet">
                Fix: <Text of={fix} />
              </p>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}
