// A verdict is told by word, colour and shape, so that no eye depends on one.
import type { Verdict } from "./model";

const paths: Record<Verdict, string> = {
  normal: "M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20Z",
  crowd: "M12 2 23 21H1Z",
  attack: "M7.5 1h9L23 7.5v9L16.5 23h-9L1 16.5v-9Z",
  mixed: "M12 0 24 12 12 24 0 12Z",
  unknown: "M2 2h20v20H2Z",
};
const marks: Record<Verdict, string> = { normal: "✓", crowd: "", attack: "!", mixed: "±", unknown: "?" };

export function Shape({ of }: { of: Verdict }) {
  return (
    <svg class={"shape " + of} viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[of]} />
      {marks[of] && <text x="12" y="17" text-anchor="middle">{marks[of]}</text>}
    </svg>
  );
}
