"use strict";
// What arrives now, asked for once a second. Everything that came from outside
// is set as text, never as markup.
const $ = (id) => document.getElementById(id);
const count = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const short = (v) => v === null ? "–" : Math.abs(v) >= 1e5 ? count.format(v) : String(Math.round(v * 1000) / 1000);
const bytes = (v) => { const u = ["B", "KiB", "MiB", "GiB", "TiB"]; let i = 0; while (v >= 1024 && i < 4) { v /= 1024; i++; } return v.toFixed(i && v < 100 ? 1 : 0) + " " + u[i]; };
const clock = (t) => new Date(t).toLocaleTimeString([], { hour12: false });
const ago = (t, now) => { const s = Math.max(0, (new Date(now) - new Date(t)) / 1000); return s < 1.5 ? "now" : s < 90 ? Math.round(s) + " s ago" : Math.round(s / 60) + " min ago"; };

function rows(body, items, cells) {
  const fragment = document.createDocumentFragment();
  for (const item of items) {
    const tr = document.createElement("tr");
    for (const [text, cls] of cells(item)) {
      const td = document.createElement("td");
      td.textContent = text;
      if (cls) td.className = cls;
      tr.append(td);
    }
    fragment.append(tr);
  }
  body.replaceChildren(fragment);
}

const headline = [
  ["CPU busy", `100 * (1 - sum(rate(system_cpu_time_seconds_total{state="idle"}[10s])) / sum(rate(system_cpu_time_seconds_total[10s])))`, (v) => v.toFixed(1) + " %", 100],
  ["Memory used", `100 * sum(system_memory_usage_bytes{state="used"}) / sum(system_memory_usage_bytes)`, (v) => v.toFixed(1) + " %", 100],
  ["Load, 1 min", `sum(system_cpu_load_average_1m)`, (v) => v.toFixed(2)],
  ["Network in", `sum(rate(system_network_io_bytes_total{direction="receive"}[10s]))`, (v) => bytes(v) + "/s"],
  ["Network out", `sum(rate(system_network_io_bytes_total{direction="transmit"}[10s]))`, (v) => bytes(v) + "/s"],
  ["TCP established", `sum(system_network_connections{protocol="tcp",state="ESTABLISHED"})`, (v) => count.format(v)],
];

async function hostTiles() {
  const tiles = await Promise.all(headline.map(async ([name, expr, show, max]) => {
    const r = await fetch("/api/v1/query?query=" + encodeURIComponent(expr), { signal: AbortSignal.timeout(3000) });
    const sample = r.ok ? (await r.json()).data.result[0] : undefined;
    const v = sample ? Number(sample.value[1]) : NaN;
    const div = document.createElement("div");
    div.className = "tile";
    const span = document.createElement("span"), b = document.createElement("b");
    span.textContent = name;
    b.textContent = Number.isFinite(v) ? show(v) : "–";
    div.append(span, b);
    if (max && Number.isFinite(v)) {
      const m = document.createElement("meter");
      m.max = max; m.high = 0.8 * max; m.value = v;
      m.setAttribute("aria-label", name);
      div.append(m);
    }
    return div;
  }));
  $("host").replaceChildren(...tiles);
}

let lastSeen = 0;
async function tick() {
  try {
    const r = await fetch("/api/warroom/now?logs=40&spans=15&q=" + encodeURIComponent($("find").value), { signal: AbortSignal.timeout(3000) });
    if (!r.ok) throw new Error("HTTP " + r.status);
    const now = await r.json();
    lastSeen = Date.now();
    document.body.classList.remove("stale");
    $("state").className = "";
    $("state").textContent = "Live · " + clock(now.time);
    const dropped = Object.entries(now.store.dropped || {}).map(([why, n]) => count.format(n) + " " + why).join(", ");
    $("store").textContent = count.format(now.store.series) + " series, " + count.format(now.store.samples) + " samples, " + bytes(now.store.bytes) + (dropped ? " · dropped: " + dropped : "") + (now.store.disk_full ? " · DISK FULL: not storing" : "");
    $("whole").textContent = now.verdict.verdict.toUpperCase() + (now.verdicts.length ? "" : " — no requests reach the detector");
    rows($("verdicts"), now.verdicts, (v) => [[v.service], [v.verdict.toUpperCase()], [clock(v.since)], [short(v.score), "n"], [short(v.rate), "n"], [short(v.expected), "n"], [short(v.clients), "n"], [short(v.errors), "n"]]);
    rows($("findings"), now.findings, (f) => [[f.status], [f.class], [f.service], [Math.round(100 * f.confidence) + " %", "n"], [count.format(f.requests), "n"], [clock(f.detected_at)], [(f.evidence || []).map((e) => e.dimension + " " + short(e.value) + " (" + (e.normal ? "normal " + short(e.normal) : "no normal yet") + ", " + e.points + ")").join("; ")], [(f.actors || []).map((a) => a.value + " " + Math.round(100 * a.share) + " %").join("; ")]]);
    $("nofindings").hidden = now.findings.length > 0;
    rows($("sources"), now.sources, (s) => [[s.signal], [s.service], [s.scope.replace(/^.*\//, "")], [short(s.rate), "n"], [count.format(s.total), "n"], [ago(s.last, now.time), "n"]]);
    $("nothing").hidden = now.sources.length > 0;
    rows($("logs"), now.logs, (l) => [[clock(l.time)], [l.service], [l.severity], [l.event ? l.event + " " + l.body : l.body]]);
    $("nologs").hidden = now.logs.length > 0;
    rows($("spans"), now.spans, (s) => [[clock(s.time)], [s.service], [s.name], [s.status], [short(s.duration_ms), "n"], [s.trace_id.slice(0, 8)]]);
    $("nospans").hidden = now.spans.length > 0;
    const find = $("findmetric").value.toLowerCase();
    rows($("metrics"), now.metrics.filter((m) => m.name.toLowerCase().includes(find)), (m) => [[m.name], [m.service], [short(m.value), "n"], [m.unit], [Object.entries(m.labels).map(([k, v]) => k + "=" + v).join(" ")], [String(m.points), "n"]]);
    $("hidden").hidden = now.metrics_hidden === 0;
    $("hidden").textContent = count.format(now.metrics_hidden) + " data points of further metrics are stored and not listed here.";
    await hostTiles();
  } catch (e) {
    document.body.classList.add("stale");
    $("state").className = "lost";
    $("state").textContent = "No answer from Vigie (" + e.message + ")" + (lastSeen ? "; what you see is " + Math.round((Date.now() - lastSeen) / 1000) + " s old" : "") + ". Trying again.";
  }
  setTimeout(tick, 1000);
}
tick();
