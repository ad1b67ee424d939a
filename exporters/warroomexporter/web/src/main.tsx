import { computed } from "@preact/signals";
import { render } from "preact";
import { AttackersBand } from "./attackers";
import { DemandBand, DemandChart, PainBand } from "./demand";
import { DrillBand, drillOpen } from "./drill";
import { HeadroomBand } from "./headroom";
import { Empty, Help } from "./help";
import { backToLive, clockOffset, helpOpen, lastEvent, mode, notice, pause, shown, stale, target, tickNow, travel, tv } from "./model";
import { StatusBand } from "./status";
import { connect } from "./stream";
import { toggleTheme } from "./theme";
import { TimelineBand } from "./timeline";
import { VerdictBand } from "./verdict";
import "./style.css";

// For measuring only: ?charts=20 adds as many charts.
const charts = Math.min(50, Number(new URLSearchParams(location.search).get("charts")) || 0);

// What App itself shows changes seldom; each band looks after its own.
const opened = computed(() => shown.value !== null);
const silent = computed(() => mode.value !== "past" && shown.value?.status.data_at === null);
const problems = computed(() => (shown.value?.status.degraded ?? []).join("\n"));
const calendarProblem = computed(() => shown.value?.status.calendar ?? "");

// Made once: what stays the same object is not compared anew.
const bands = [<VerdictBand />, <DemandBand />, <PainBand />, <HeadroomBand />, <div class="side"><AttackersBand /><TimelineBand /></div>, tv ? null : <DrillBand />, ...Array.from({ length: charts }, () => <div class="measured"><DemandChart /></div>)];
const status = <StatusBand />, help = <Help />;

function App() {
  return (
    <div class={"page" + (stale.value ? " stale" : "") + (mode.value === "past" ? " looking" : "")}>
      {status}
      {notice.value && <p class="notice" role="alert">{notice.value} <button type="button" onClick={() => { notice.value = ""; }}>close</button></p>}
      {problems.value && problems.value.split("\n").map((d) => <p class="notice" role="alert">{d}</p>)}
      {calendarProblem.value && <p class="notice">The calendar: {calendarProblem.value}</p>}
      {opened.value ? <main>{silent.value && <Empty />}{bands}</main> : <p class="loading">Opening the war room…</p>}
      {help}
    </div>
  );
}

function go(n: number): void {
  if (n === 7) drillOpen.value = true;
  const band = document.getElementById("band" + n);
  band?.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  band?.focus({ preventScroll: true });
}

addEventListener("keydown", (e) => {
  const el = e.target as HTMLElement;
  const typing = el.matches("input:not([type=range]), textarea, select");
  if (e.key === "Escape") { if (typing) el.blur(); else if (!helpOpen.value) backToLive(); return; }
  if (typing || e.ctrlKey || e.metaKey || e.altKey || helpOpen.value) return;
  if (e.key === " " && el.matches("button, summary, a")) return; // it presses them
  const step = (ms: number): void => {
    const now = Date.now() + clockOffset.value, to = (target.value ?? now) + ms;
    if (to >= now) backToLive(); else travel(to);
  };
  switch (e.key) {
    case " ": pause(); break;
    case "n": document.getElementById("note")?.focus(); break;
    case "l": backToLive(); break;
    case "t": toggleTheme(); break;
    case "?": helpOpen.value = true; break;
    case ",": step(-10_000); break;
    case ".": step(10_000); break;
    default: if (e.key >= "1" && e.key <= "7") go(Number(e.key)); else return;
  }
  e.preventDefault();
});

if (tv) document.documentElement.classList.add("tv");
// One frame a second while the stream speaks: the timer is for when it does not.
setInterval(() => { const now = performance.now(); if (now - lastEvent.value > 1200) tickNow.value = now; }, 500);
connect();
const root = document.getElementById("app")!;
root.replaceChildren();
render(<App />, root);
