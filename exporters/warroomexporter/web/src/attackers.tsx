// Band 5: who, and what to do about them. Nothing is applied from here.
import { signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { Band, Bar } from "./band";
import { mode, notice, service, shownFindings, tv, type Finding, type Rule } from "./model";
import { clock, count, percent, words } from "./format";
import { openFindings } from "./verdict";

export function AttackersBand() {
  const all = shownFindings.value ?? [];
  const open = openFindings(all), closed = all.filter((f) => f.status === "closed"), lost = all.filter((f) => f.stale);
  return (
    <Band n={5} title="Attackers" cls="attackers" aside={<span class="quiet">{open.length} open, {closed.length} over{lost.length > 0 && `, ${lost.length} not heard of since a restart`}</span>}>
      {!open.length && <p class="quiet">No finding is open.</p>}
      {useMemo(() => open.slice(0, tv ? 1 : 4).map((f) => <One f={f} key={f.id} />), [all, service.value, mode.value, copied.value])}
      {lost.slice(0, tv ? 1 : 5).map((f) => <p class="missing" key={f.id}>? {words(f.class)} on <bdi>{f.service}</bdi>, since {clock(f.started_at)}: open when the server ended, not heard of since. Whether it is over is not known.</p>)}
      {!tv && closed.length > 0 && (
        <details><summary>{closed.length} that are over</summary>
          <table><thead><tr><th>What</th><th>Service</th><th>From</th><th>To</th><th class="n">Requests</th></tr></thead>
            <tbody>{closed.slice(0, 20).map((f) => <tr><td>{words(f.class)}</td><td><bdi>{f.service}</bdi></td><td>{clock(f.started_at)}</td><td>{f.closed_at ? clock(f.closed_at) : ""}</td><td class="n">{count(f.requests)}</td></tr>)}</tbody></table>
        </details>
      )}
    </Band>
  );
}

function One({ f }: { f: Finding }) {
  return (
    <article class="finding">
      <h3><span class="tag attack">{words(f.class)}</span> <bdi>{f.service}</bdi> <small>{percent(f.confidence)} sure · since {clock(f.started_at)} · {count(f.requests)} requests</small></h3>
      <div class="scroll" tabIndex={tv ? -1 : 0}><table>
        <thead><tr><th>Kind</th><th>Who</th><th class="n">Share</th><th class="n">Errors</th><th class="n">Lift</th><th>First seen</th></tr></thead>
        <tbody>{(f.actors ?? []).slice(0, tv ? 4 : 8).map((a) => (
          <tr><td class="quiet">{tv ? words(a.kind).replace("user ", "") : words(a.kind)}</td><td class="who"><bdi>{a.value}</bdi></td><td class="n"><Bar of={a.share} cls="bad" /> {percent(a.share)}</td><td class="n">{percent(a.errors)}</td><td class="n">{a.lift ? count(a.lift) + " ×" : "–"}</td><td>{a.first_seen ? clock(a.first_seen) : "–"}</td></tr>
        ))}</tbody>
      </table></div>
      {(f.rules ?? []).slice(0, tv ? 1 : 4).map((r, i) => <Proposal f={f} r={r} i={i} />)}
      <Together f={f} />
    </article>
  );
}

/** Together is what all rules do at once: what each does alone overlaps. */
function Together({ f }: { f: Finding }) {
  const m = f.mitigation, n = f.rules?.length ?? 0;
  if (tv || !m || !m.coverage && !m.note) return null;
  return <p class="together">{n > 1 ? `All ${n} rules together stop` : "It stops"} {percent(m.coverage)} of the attack and hit{n > 1 ? "" : "s"} {percent(m.legitimate_hit)} of the crowd (estimated).{m.note && <> <bdi>{m.note}</bdi></>}</p>;
}

function Proposal({ f, r, i }: { f: Finding; r: Rule; i: number }) {
  const what = (r.match ?? []).map((c) => `${c.field} ${c.op} ${(c.values ?? []).slice(0, 3).join(", ")}${(c.values?.length ?? 0) + (c.more ?? 0) > 3 ? ` and ${(c.values?.length ?? 0) + (c.more ?? 0) - 3} more` : ""}`).join(" and ");
  return (
    <div class="rule">
      <span><b>{words(r.action)}</b> <bdi>{what || words(r.kind)}</bdi></span>
      <span class="effect">{tv ? `stops ${percent(r.coverage)}, hits ${percent(r.legitimate_hit)} of the crowd` : `stops ${percent(r.coverage)} of the attack, hits ${percent(r.legitimate_hit)} of the crowd (estimated)`}</span>
      {!tv && <span class="copy">{(["waf", "nginx", "cidr"] as const).map((format) => <button type="button" disabled={mode.value === "past"} onClick={() => void copyRule(f.id, i, format)}>{copied.value === f.id + i + format ? "copied ✓" : { waf: "WAF JSON", nginx: "nginx", cidr: "CIDR list" }[format]}</button>)}</span>}
    </div>
  );
}

const copied = signal("");
async function copyRule(id: string, i: number, format: string): Promise<void> {
  try {
    const r = await fetch(`/api/warroom/rule?finding=${encodeURIComponent(id)}&rule=${i}&format=${format}`, { signal: AbortSignal.timeout(5000) });
    const text = await r.text();
    if (!r.ok) throw new Error(text);
    await navigator.clipboard.writeText(text);
    copied.value = id + i + format;
    setTimeout(() => { if (copied.value === id + i + format) copied.value = ""; }, 2000);
  } catch (e) {
    notice.value = "The rule could not be copied: " + String(e instanceof Error ? e.message : e);
  }
}
