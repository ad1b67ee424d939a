// Band 6: what happened and what was done; the handle to look back.
import { signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { Band } from "./band";
import { backToLive, live, mode, notice, shownTimeline, target, travel, tv, who, type Entry } from "./model";
import { clock, lasting, words } from "./format";
import { grafanaURL } from "./grafana";

const icons: Record<string, string> = { note: "✎", severity: "▲", commander: "★", deputy: "☆", scribe: "✒", verdict: "◆", finding_opened: "!", finding_closed: "✓", phase: "⚑", server: "⟳", deploy: "⇪", scaling: "⇅", event: "⚑" };
const names: Record<string, string> = { note: "note", severity: "severity", commander: "commander", deputy: "deputy", scribe: "scribe", verdict: "verdict", finding_opened: "finding", finding_closed: "over", phase: "event", server: "server", deploy: "deploy", scaling: "scaling", event: "event" };

export function TimelineBand() {
  const all = shownTimeline.value ?? [];
  const list = useMemo(() => [...all].reverse().slice(0, tv ? 5 : 100).map((e) => <Line e={e} key={e.seq} />), [all]);
  return (
    <Band n={6} title="Timeline" cls="timeline" aside={tv ? undefined : <span class="links"><GrafanaLink /> <a href="/api/warroom/report" target="_blank" rel="noopener">Report</a> <a href="/api/warroom/report?format=ndjson" download>its NDJSON</a> · log book: <a href="/api/warroom/timeline" download="timeline.ndjson">NDJSON</a> <a href="/api/warroom/timeline?format=otlp" download="timeline.otlp.json">OTLP</a> <a href="/api/warroom/timeline?format=grafana" download="annotations.json">annotations</a></span>}>
      {!tv && <Scrubber />}
      {!tv && <Write />}
      <ol class="entries">
        {list}
        {!list.length && <li class="quiet">Nothing yet.</li>}
      </ol>
    </Band>
  );
}

function Line({ e }: { e: Entry }) {
  const at = new Date(e.at).getTime();
  return (
    <li class={"of-" + e.kind}>
      {tv ? <time>{clock(at)}</time> : <button type="button" class="at" title="show the page as it was" onClick={() => travel(at + 1000)}>{clock(at)}</button>}
      <span class="kind"><i aria-hidden="true">{icons[e.kind] ?? "·"}</i> {names[e.kind] ?? e.kind}</span>
      <span class="text">{e.service && <b><bdi>{e.service}</bdi> </b>}<bdi>{(e.kind === "phase" ? words(e.text) : e.text) || "(given back)"}</bdi>{e.who && <small> — <bdi>{e.who}</bdi></small>}</span>
    </li>
  );
}

/** GrafanaLink leads to what Grafana has of the time that is looked at. */
function GrafanaLink() {
  const url = grafanaURL();
  return url ? <a href={url} target="_blank" rel="noopener noreferrer">Grafana</a> : null;
}

/** Scrubber drags the whole page back over the last six hours. */
function Scrubber() {
  const now = new Date(live.value!.status.time).getTime(), back = 6 * 3600;
  const started = live.value?.minutes;
  const span = Math.max(120, Math.min(back, started ? started.rate.length * 60 : back));
  const ago = target.value === null ? 0 : Math.min(span, Math.round((now - target.value) / 1000));
  return (
    <div class="scrubber">
      <input type="range" min={-span} max={0} step={1} value={-ago} aria-label="Look back" aria-valuetext={ago ? lasting(ago * 1000) + " ago" : "live"}
        onInput={(e) => { const s = Number(e.currentTarget.value); if (s >= 0) backToLive(); else travel(now + s * 1000); }} />
      <span>{mode.value === "past" || target.value !== null ? <>{clock(target.value ?? now)} <button type="button" onClick={backToLive}>Live</button></> : <span class="quiet">drag to look back ({lasting(span * 1000)})</span>}</span>
    </div>
  );
}

const kind = signal("note"), text = signal(""), busy = signal(false);

function Write() {
  const isSeverity = kind.value === "severity";
  return (
    <form class="write" onSubmit={(e) => { e.preventDefault(); void send(); }}>
      <select aria-label="Kind" value={kind.value} onChange={(e) => { kind.value = e.currentTarget.value; text.value = kind.value === "severity" ? "sev3" : ""; }}>
        <option value="note">note</option><option value="severity">severity</option><option value="commander">commander</option><option value="deputy">deputy</option><option value="scribe">scribe</option>
      </select>
      {isSeverity
        ? <select aria-label="Severity" value={text.value} onChange={(e) => { text.value = e.currentTarget.value; }}><option>none</option><option>sev3</option><option>sev2</option><option>sev1</option></select>
        : <input id="note" aria-label={kind.value === "note" ? "Note" : "Name"} placeholder={kind.value === "note" ? "what was seen, decided or done (n)" : "name; empty gives the role back"} maxLength={1000} autocomplete="off" value={text.value} onInput={(e) => { text.value = e.currentTarget.value; }} />}
      <input class="whoami" aria-label="Your name" placeholder="your name" maxLength={60} autocomplete="nickname" value={who.value} onInput={(e) => { who.value = e.currentTarget.value; localStorage.setItem("vigie.who", who.value); }} />
      <button type="submit" disabled={busy.value || kind.value === "note" && !text.value.trim()}>Enter</button>
    </form>
  );
}

/** send clears the field only when the note is on the server's disk. */
async function send(): Promise<void> {
  busy.value = true;
  try {
    const r = await fetch("/api/warroom/timeline", {
      method: "POST", headers: { "Content-Type": "application/json" }, signal: AbortSignal.timeout(10_000),
      body: JSON.stringify({ kind: kind.value, text: text.value, who: who.value }),
    });
    if (!r.ok) throw new Error(await r.text());
    text.value = "";
    kind.value = "note";
    notice.value = "";
  } catch (e) {
    notice.value = "Not kept: " + String(e instanceof Error ? e.message : e) + " Your text is still there.";
  } finally {
    busy.value = false;
  }
}
