// Band 4: how long until something breaks.
import { Band, Bar } from "./band";
import { shown, tv, type Wall } from "./model";
import { amount, minutes, percent } from "./format";

/** alarm: 2 within five minutes or hit, 1 within half an hour or nearly full. */
const alarm = (w: Wall): 0 | 1 | 2 =>
  w.losing || w.minutes_left !== null && w.minutes_left < 5 ? 2 : w.minutes_left !== null && w.minutes_left < 30 || (w.utilization ?? 0) > 0.85 || w.stale ? 1 : 0;

const steady = (w: Wall): boolean => !w.stale && !w.losing && w.minutes_left === null && w.utilization !== null;

export function HeadroomBand() {
  const h = shown.value!.headroom;
  const most = tv ? 5 : 9;
  return (
    <Band n={4} title="Headroom" cls="headroom" aside={<span class="quiet">minutes to each wall, worst first</span>}>
      {!h && <p class="quiet">Reading the walls…</p>}
      {h && (
        <table class="walls">
          <thead><tr><th>Wall</th><th>Used</th><th class="n">Left</th></tr></thead>
          <tbody>{h.walls.slice(0, most).map((w) => <WallRow w={w} />)}</tbody>
        </table>
      )}
      {h && h.walls.length + h.hidden > most && <p class="quiet">{h.walls.length + h.hidden - most} more, all better.</p>}
      {h && h.missing.length > 0 && (tv
        ? <p class="missing">Not seen: {h.missing.map((m) => m.name).join(", ")}.</p>
        : <details class="missing"><summary>{h.missing.length} walls are not seen</summary><ul>{h.missing.map((m) => <li><b>{m.name}</b>: {m.why}</li>)}</ul></details>)}
    </Band>
  );
}

function WallRow({ w }: { w: Wall }) {
  const level = alarm(w), cls = level === 2 ? "bad" : level === 1 ? "warn" : "";
  return (
    <tr class={cls} title={w.why + " (" + w.source + ")"}>
      <td><b>{tv ? w.name.replace("Connection tracking", "Conntrack") : w.name}</b> <bdi class="quiet">{w.resource}</bdi>{steady(w) ? null : <small>{w.why}</small>}</td>
      <td class="use">
        {w.utilization !== null ? <><Bar of={w.utilization} cls={cls} /><span class="n">{percent(w.utilization)}</span></> : null}
        <small>{w.used !== null && w.limit !== null && w.unit !== "1" ? amount(w.used, w.unit) + " of " + amount(w.limit, w.unit) : w.left !== null && w.unit !== "1" ? amount(w.left, w.unit) + " left" : ""}</small>
      </td>
      <td class="n left">{level === 2 ? "■ " : level === 1 ? "▲ " : ""}{w.stale ? "unknown" : w.minutes_left === null ? w.used === null && w.left === null ? "not hit" : "steady" : minutes(w.minutes_left)}</td>
    </tr>
  );
}
