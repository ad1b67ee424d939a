// Band 1: is it our crowd or an attack, since when, and what speaks for it.
import { Band } from "./band";
import { mode, service, shown, tv, type Evidence, type Finding, type Verdict, type VerdictRow, type View } from "./model";
import { clock, count, lasting, none, percent, words } from "./format";
import { Shape } from "./shape";

const says: Record<Verdict, string> = {
  normal: "Traffic is as it usually is.",
  crowd: "A surge that is made of our own crowd.",
  attack: "Traffic that is not our crowd.",
  mixed: "A crowd and an attack at the same time.",
  unknown: "Not enough is known to judge.",
};

export const openFindings = (all: Finding[]): Finding[] => all.filter((f) => f.status !== "closed" && !f.stale && (!service.value || f.service === service.value));

/** confidence is that of the gravest finding, else how far the score is off the
 *  other side; null where nothing is known. */
function confidence(row: VerdictRow, open: Finding[]): number | null {
  if (row.verdict === "unknown") return null;
  if (row.verdict === "attack" || row.verdict === "mixed") return Math.max(row.score ?? 0, ...open.map((f) => f.confidence)) || null;
  return row.score === null ? null : 1 - row.score;
}

export function VerdictBand() {
  const v = shown.value!;
  const row = v.services.find((s) => s.service === service.value) ?? v.whole;
  const open = openFindings(v.findings ?? []), sure = confidence(row, open);
  const at = new Date(v.status.time).getTime();
  const silent = v.services.length === 0;
  return (
    <Band n={1} title="Verdict" cls="verdictband" aside={service.value ? <span class="chosen"><bdi>{service.value}</bdi> <button type="button" onClick={() => { service.value = ""; }}>all services</button></span> : <span class="quiet">all services</span>}>
      <div class="verdict">
        <div class={"word " + row.verdict} role="status" aria-live="assertive">
          <Shape of={row.verdict} />
          <div>
            <strong>{row.verdict.toUpperCase()}</strong>
            <p>{silent ? "No requests reach the detector." : says[row.verdict]}</p>
            <p class="since">{sure !== null && <span>{percent(sure)} sure</span>} {mode.value !== "past" && !silent && <span>since {clock(row.since)} ({lasting(at - new Date(row.since).getTime())})</span>}</p>
          </div>
        </div>
        <EvidenceTable row={row} open={open} />
        <Services v={v} />
      </div>
    </Band>
  );
}

interface Piece { what: string; value: string; normal: string; points: "for" | "against" | ""; note: string }

function EvidenceTable({ row, open }: { row: VerdictRow; open: Finding[] }) {
  const top = open[0];
  const all: Piece[] = top ? (top.evidence ?? []).map(told) : derived(row);
  const pieces = all.slice(0, tv ? 6 : 8);
  return (
    <div class="evidence">
      <table>
        <caption>{top ? <span>Evidence: {words(top.class)} on <bdi>{top.service}</bdi>{open.length > 1 ? `, and ${open.length - 1} more` : ""}</span> : "What is measured"}</caption>
        <thead><tr><th>Dimension</th><th class="n">Now</th><th class="n">Normal</th><th>Points to</th></tr></thead>
        <tbody>
          {pieces.map((p) => (
            <tr title={p.note}>
              <td><bdi>{p.what}</bdi></td><td class="n">{p.value}</td><td class="n">{p.normal}</td>
              <td>{p.points === "for" ? <span class="for">▲ attack</span> : p.points === "against" ? <span class="against">▼ our crowd</span> : <span class="quiet">–</span>}</td>
            </tr>
          ))}
          {!pieces.length && <tr><td colSpan={4} class="quiet">Nothing is measured: the verdict is unknown, not normal.</td></tr>}
        </tbody>
      </table>
    </div>
  );
}

// A normal of zero is one that nobody told: "–" and not "0 %".
const told = (e: Evidence): Piece => ({
  what: words(e.dimension), value: measure(e.value, e), normal: e.normal ? measure(e.normal, e) : none, points: e.points, note: e.note ?? "",
});
// A share is named one, or its note says so: "user agents 100 %" and not "1".
const measure = (v: number, e: Evidence): string => {
  const { unit, dimension } = e;
  if (!unit && v <= 1 && (/share|ratio|fraction/.test(dimension) || /^share of/.test(e.note ?? ""))) return percent(v);
  return count(v) + (unit && unit !== "1" && !/per_second|requests|clients/.test(dimension) ? " " + unit.replace(/[{}]/g, "") : "");
};

/** derived is what the numbers say where no finding is open: they point nowhere
 *  by themselves. */
function derived(r: VerdictRow): Piece[] {
  const out: Piece[] = [];
  const put = (what: string, value: string, normal = none, points: Piece["points"] = "", note = ""): void => { out.push({ what, value, normal, points, note }); };
  if (r.rate !== null) put("requests a second", count(r.rate), count(r.expected), "", "normal is what the baseline expects");
  if (r.rate !== null && r.expected) put("against usual rate", (r.rate / r.expected).toFixed(1) + " ×", "1 ×", "", "a rate alone tells no attack");
  if (r.clients !== null) put("clients in 10 s", count(r.clients));
  if (r.clients && r.rate !== null) put("requests a client", count(10 * r.rate / r.clients));
  if (r.errors !== null && r.rate) put("error share", percent(r.errors / r.rate));
  if (r.suspected !== null && r.rate) put("suspected share", percent(r.suspected / r.rate), "0 %", r.suspected > 0 ? "for" : "against");
  if (r.score !== null) put("attack score", percent(r.score), "< 50 %", r.score >= 0.5 ? "for" : "against", "the detector's score");
  return out;
}

function Services({ v }: { v: View }) {
  const most = tv ? 6 : 12;
  return (
    <ul class="services" aria-label="Services">
      {v.services.slice(0, most).map((s) => (
        <li>
          <button type="button" class={s.service === service.value ? "on" : ""} aria-pressed={s.service === service.value} onClick={() => { service.value = s.service === service.value ? "" : s.service; }}>
            <Shape of={s.verdict} /><bdi>{s.service || "unnamed"}</bdi><span class={"tag " + s.verdict}>{s.verdict.toUpperCase()}</span><span class="n">{s.rate === null ? "silent" : count(s.rate) + "/s"}</span>
          </button>
        </li>
      ))}
      {v.services.length > most && <li class="quiet">and {v.services.length - most} more, none graver</li>}
    </ul>
  );
}
