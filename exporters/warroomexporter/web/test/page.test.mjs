import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { get } from "node:http";
import { after, afterEach, before, describe, test } from "node:test";
import { axe, launch, look, serve } from "./room.mjs";

let browser, room;
before(async () => { browser = await launch(); room = await serve("mixed"); });
// A test that failed must not leave its viewers to the next.
afterEach(async () => { for (const c of browser.contexts()) await c.close(); });
after(async () => { await browser?.close(); await room?.close(); });

const text = (page, selector) => page.textContent(selector);
async function until(page, fn, arg, timeout = 8000) { await page.waitForFunction(fn, arg, { timeout }); }

/** work is what the page's main thread does in a second, in ms of its own CPU
 *  time: wall time would count what the machine's other work takes from it. Of
 *  seven stretches of three seconds the least and the middle one. */
async function work(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.setTimeDomain", { timeDomain: "threadTicks" });
  await cdp.send("Performance.enable");
  const keys = ["TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration"];
  const read = async () => Object.fromEntries((await cdp.send("Performance.getMetrics")).metrics.map((m) => [m.name, m.value]));
  await page.waitForTimeout(2000);
  const all = [];
  for (let i = 0; i < 7; i++) {
    const from = await read();
    await page.waitForTimeout(3000);
    const to = await read();
    all.push(Object.fromEntries(keys.map((k) => [k, 1000 * (to[k] - from[k]) / 3])));
  }
  all.sort((a, b) => a.TaskDuration - b.TaskDuration);
  return { least: all[0], middle: all[3] };
}
const told = ({ least, middle }) => `at least ${parts(least)}; in the middle ${parts(middle)}`;
const parts = (ms) => Object.entries(ms).map(([k, v]) => `${k.replace("Duration", "")} ${v.toFixed(1)} ms`).join(", ");

describe("the page", () => {
  test("shows the verdict in a word, with evidence for and against, and all bands", async () => {
    const page = await look(browser, room);
    await until(page, () => document.querySelector(".word strong").textContent === "MIXED");
    assert.ok(await page.locator(".evidence .for").count() >= 5);
    assert.ok(await page.locator(".evidence .against").count() >= 1);
    assert.deepEqual(await page.locator(".band").evaluateAll((b) => b.map((x) => x.id)), [1, 2, 3, 4, 5, 6, 7].map((n) => "band" + n));
    await until(page, () => document.querySelectorAll(".walls tbody tr").length > 3);
    assert.match(await text(page, ".walls tbody tr"), /Connection tracking.*min/s);
    assert.match(await text(page, ".headroom .missing"), /not seen/);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  test("says of evidence without a known normal that there is none, and not zero", async () => {
    const page = await look(browser, room);
    await until(page, () => /networks/.test(document.querySelector(".evidence").textContent));
    const cells = (what) => page.locator(`.evidence tr:has-text("${what}") td`).allTextContents();
    assert.deepEqual((await cells("networks")).slice(0, 3), ["networks", "98 %", "–"]);
    assert.deepEqual((await cells("new client share")).slice(0, 3), ["new client share", "97 %", "31 %"]);
    await page.goto(room.url + "/plain/");
    await until(page, () => /networks 0.98 \(no normal yet, for\)/.test(document.querySelector("#findings").textContent));
    assert.match(await text(page, "#findings"), /new_client_share 0.97 \(normal 0.31, for\)/);
    await page.context().close();
  });

  test("has a key for each band, for help, theme, pause and notes", async () => {
    const page = await look(browser, room);
    for (const n of [1, 2, 3, 4, 5, 6, 7]) {
      await page.keyboard.press(String(n));
      assert.equal(await page.evaluate(() => document.activeElement.id), "band" + n);
    }
    await until(page, () => document.querySelectorAll(".drilled tr").length > 3);
    await page.keyboard.press("?");
    await page.waitForSelector("dialog[open]");
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog[open]", { state: "detached" });
    const theme = await page.evaluate(() => document.documentElement.dataset.theme);
    await page.keyboard.press("t");
    assert.notEqual(await page.evaluate(() => document.documentElement.dataset.theme), theme);
    await page.keyboard.press("Space");
    await page.waitForSelector("text=/Paused/");
    const held = await text(page, ".demand .figure b");
    await page.waitForTimeout(2500);
    assert.equal(await text(page, ".demand .figure b"), held);
    await page.keyboard.press("Space");
    await page.waitForSelector(".mode.live");
    await page.keyboard.press("n");
    await page.keyboard.type("7 is not a key here");
    assert.equal(await page.inputValue("#note"), "7 is not a key here");
    await page.context().close();
  });

  test("drills down by services, namespaces, nodes and pods", async () => {
    const page = await look(browser, room);
    await page.keyboard.press("7");
    const by = (kind) => page.click(`.drilled nav button:text-is("${kind}")`), choose = (name) => page.click(`.members button:has-text("${name}")`);
    await by("services");
    await until(page, () => /player-api.*K\/s/s.test(document.querySelector(".members")?.textContent));
    await by("namespaces");
    await choose("live");
    await until(page, () => document.querySelectorAll(".spark svg[role=img]").length >= 4);
    assert.equal(await page.locator(".members tbody tr").count(), 5, "its pods");
    await by("nodes");
    await choose("ip-10-0-1-17");
    await until(page, () => /CPU: \d+ % now; between/.test(document.querySelector(".spark svg")?.getAttribute("aria-label")));
    await by("pods");
    await page.fill(".members input[type=search]", "8HZN7");
    await until(page, () => document.querySelectorAll(".members tbody tr").length === 1);
    await choose("player-api-7d9f8c6b5-8hzn7");
    await until(page, () => { const of = [...document.querySelectorAll(".logs tr")]; return of.length > 1 && of.every((tr) => /request \d+ took/.test(tr.textContent)); });
    const kept = await (await fetch(room.url + "/api/warroom/drill?kind=pods&records=1&name=live/player-api-7d9f8c6b5-8hzn7")).json();
    assert.ok(kept.logs.length > 1 && kept.logs.every((l) => l.pod === "player-api-7d9f8c6b5-8hzn7"));
    const titles = await page.locator(".spark figcaption span").allTextContents();
    assert.deepEqual(titles, ["CPU", "Memory", "Restarts", "Network", "Errors"]);
    assert.match(await text(page, ".spark:nth-child(3)"), /in all/);
    assert.equal(await page.locator(".spark path").evaluateAll((all) => all.filter((p) => (p.getAttribute("d") ?? "").length < 20).length), 0, "a line in each");
    await page.fill("input[aria-label='Find in logs']", "no line holds this");
    await until(page, () => /None with these letters/.test(document.querySelector(".logs").textContent));
    const grafana = new URL(await page.getAttribute(".drill .links a", "href"));
    assert.equal(grafana.origin + grafana.pathname, "https://grafana.example/root/d/vigie-workloads");
    assert.equal(grafana.searchParams.get("var-pod"), "player-api-7d9f8c6b5-8hzn7");
    assert.equal(grafana.searchParams.get("to"), "now");
    // And in the past.
    await page.fill("input[aria-label='Find in logs']", "");
    await page.locator(".scrubber input").evaluate((el) => { el.value = "-300"; el.dispatchEvent(new InputEvent("input", { bubbles: true })); });
    await page.waitForSelector("text=/Looking back/");
    await until(page, () => document.querySelectorAll(".spark").length >= 4 && /None of that time/.test(document.querySelector(".logs").textContent));
    assert.notEqual(new URL(await page.getAttribute(".drill .links a", "href")).searchParams.get("to"), "now");
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  test("says that an autoscaler is at its maximum, and which of the books is off", async () => {
    const page = await look(browser, room);
    await until(page, () => /Autoscaler's replicas live\/signin.*at max/s.test(document.querySelector(".walls")?.textContent ?? ""));
    await until(page, () => document.querySelector(".ledger")?.open);
    assert.match(await text(page, ".ledger"), /metrics → warroom: 17 unexplained/);
    assert.match(await text(page, ".ledger"), /logs.*✓ balance/s);
    await page.context().close();
  });

  test("shows what vigie ready found, when somebody has brought it", async () => {
    const page = await look(browser, room);
    const r = await fetch(room.url + "/api/warroom/ready", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({
      format: 1, at: new Date().toISOString(), status: "fail", event: { name: "Semi-final" }, counts: { ok: 9, warn: 0, unknown: 0, fail: 1 },
      findings: [{ check: "hpa_max", status: "fail", subject: "live/signin", why: "<b>4</b> replicas, 11 needed", do: "raise maxReplicas" }],
    }) });
    assert.equal(r.status, 201, await r.text());
    await until(page, () => /Readiness for Semi-final: ✗ failed.*<b>4<\/b> replicas, 11 needed/s.test(document.querySelector(".headroom").textContent));
    await page.context().close();
  });

  test("shows hostile text as text", async () => {
    const page = await look(browser, room);
    await page.keyboard.press("7");
    await until(page, () => document.querySelector(".logs")?.textContent.includes("<script>alert(1)</script>"));
    assert.match(await text(page, ".attackers"), /<script>alert\(1\)<\/script>/);
    await until(page, () => document.querySelector(".demand").textContent.includes("/<script>alert(1)</script>"));
    assert.match(await text(page, ".demand"), /sign-ins a second.*93 % succeed/s);
    assert.equal(await page.locator("#app script").count(), 0);
    assert.equal(await page.locator("b:text-is('été')").count(), 0);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  test("keeps a note that one viewer types and shows it to another", async () => {
    const [a, b] = [await look(browser, room), await look(browser, room, { path: "/?tv=1" })];
    const note = "WAF rule is on <b>now</b> " + Date.now();
    await a.keyboard.press("n");
    await a.keyboard.type(note);
    await a.fill(".whoami", "Ada");
    await a.press("#note", "Enter");
    await until(a, () => document.querySelector("#note").value === "");
    await until(b, (n) => document.querySelector(".entries").textContent.includes(n), note);
    await until(b, () => /2 viewers/.test(document.querySelector(".status").textContent));
    const kept = await (await fetch(room.url + "/api/warroom/timeline")).text();
    assert.ok(kept.split("\n").filter(Boolean).map((l) => JSON.parse(l)).some((e) => e.text === note && e.who === "Ada"));
    await a.context().close();
    await b.context().close();
  });

  test("looks back over the whole page and returns", async () => {
    const page = await look(browser, room);
    await until(page, () => document.querySelector(".word strong").textContent === "MIXED");
    await page.locator(".scrubber input").evaluate((el) => { el.value = "-300"; el.dispatchEvent(new InputEvent("input", { bubbles: true })); });
    await page.waitForSelector("text=/Looking back/");
    await until(page, () => document.querySelector(".word strong").textContent === "CROWD");
    await until(page, () => document.querySelectorAll(".walls tbody tr").length > 3);
    await page.keyboard.press("Escape");
    await until(page, () => document.querySelector(".word strong").textContent === "MIXED");
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  test("copies a proposed rule in three languages", async () => {
    const page = await look(browser, room);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    for (const name of ["WAF JSON", "nginx", "CIDR list"]) {
      await page.click(`.copy button:text-is("${name}")`);
      await page.waitForSelector("text=copied ✓");
      const got = await page.evaluate(() => navigator.clipboard.readText());
      assert.match(got, /203\.0\.113\.0\/24/, name);
      await page.waitForSelector(`.copy button:text-is("${name}")`);
    }
    await page.context().close();
  });

  test("says what all proposed rules do together, and why no more", async () => {
    const page = await look(browser, room);
    await until(page, () => /stops 93 % of the attack and hits 0.1 % of the crowd.*<b>what is left<\/b>/s.test(document.querySelector(".together")?.textContent ?? ""));
    await page.context().close();
  });

  test("gives the report, which runs nothing and asks nobody", async () => {
    const page = await look(browser, room);
    const [report] = await Promise.all([page.context().waitForEvent("page"), page.click('.timeline a:text-is("Report")')]);
    const problems = [];
    report.on("console", (m) => problems.push(m.text()));
    report.on("request", (r) => { if (!r.url().startsWith(room.url + "/api/warroom/report")) problems.push(r.url()); });
    await report.reload();
    assert.match(await report.textContent("#impact"), /under attack/);
    assert.ok(await report.locator("#findings article").count() >= 1);
    assert.equal(await report.locator("script").count(), 0);
    assert.ok(await report.locator("svg path.line").count() >= 3);
    assert.equal(await report.evaluate(() => getComputedStyle(document.querySelector(".numbers")).display), "grid", "its own policy lets its style through");
    const pdf = await report.pdf({ format: "A4" });
    assert.ok(pdf.length > 20_000, `${pdf.length} bytes`);
    assert.deepEqual(problems, []);
    await page.context().close();
    const free = await (await browser.newContext({ bypassCSP: true })).newPage();
    await free.goto(room.url + "/api/warroom/report");
    await free.evaluate(axe);
    const { violations } = await free.evaluate(() => globalThis.axe.run());
    assert.deepEqual(violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id}: ${v.nodes.map((n) => n.target + " " + n.failureSummary).join("; ")}`), []);
    await free.context().close();
  });

  test("says within three seconds that the server is gone, and catches up when it is back", async () => {
    const page = await look(browser, room);
    await page.waitForSelector(".mode.live");
    const begun = Date.now();
    await room.stop();
    await page.waitForSelector("text=/DISCONNECTED/", { timeout: 3500 });
    assert.ok(Date.now() - begun < 4000, `${Date.now() - begun} ms`);
    assert.equal(await page.locator(".page.stale").count(), 1);
    await page.waitForTimeout(1500);
    await room.start();
    await page.waitForSelector(".mode.live", { timeout: 20_000 });
    await until(page, () => document.querySelector(".word strong").textContent === "MIXED", undefined, 15_000);
    assert.match(await page.getAttribute(".demand .plot", "aria-label"), /between/);
    // The attack before the stop was never told to be over.
    await until(page, () => /open when the server ended, not heard of since/.test(document.querySelector(".attackers").textContent));
    // The one that goes on is told anew, some ticks later.
    await until(page, () => document.querySelectorAll(".attackers article.finding").length === 1);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  test("gives every chart a text and breaks no rule of axe that is serious", async () => {
    for (const [path, width, height, scheme] of [["/", 1920, 1080, "dark"], ["/", 1920, 1080, "light"], ["/?tv=1", 1920, 1080, "dark"], ["/", 390, 844, "light"]]) {
      const page = await look(browser, room, { path, width, height, scheme });
      await until(page, () => document.querySelectorAll(".walls tbody tr").length > 3);
      if (path === "/") {
        await page.keyboard.press("7");
        await page.click('.drilled nav button:text-is("namespaces")');
        await page.click('.members button:has-text("live")');
        await page.waitForSelector(".spark");
      }
      const bare = await page.locator("canvas").evaluateAll((all) => all.filter((c) => !c.closest("[role=img]")?.getAttribute("aria-label")).length);
      assert.equal(bare, 0);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      const serious = violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id}: ${v.nodes.map((n) => n.target + " " + n.failureSummary).join("; ")}`);
      assert.deepEqual(serious, [], `${path} ${width} ${scheme}`);
      await page.context().close();
    }
  });

  test("on a wall scrolls nowhere and writes nothing below 24 px; a phone never scrolls sideways", async () => {
    const wall = await look(browser, room, { path: "/?tv=1" });
    await until(wall, () => document.querySelectorAll(".walls tbody tr").length > 3);
    const small = await wall.evaluate(() => {
      const out = [], walk = document.createTreeWalker(document.getElementById("app"), NodeFilter.SHOW_TEXT);
      for (let n = walk.nextNode(); n; n = walk.nextNode()) {
        const el = n.parentElement;
        if (!n.data.trim() || el.closest("svg, dialog") || !el.getClientRects().length) continue;
        if (parseFloat(getComputedStyle(el).fontSize) < 24) out.push(n.data);
      }
      return out;
    });
    assert.deepEqual(small, []);
    assert.ok(await wall.evaluate(() => document.documentElement.scrollHeight <= innerHeight && document.documentElement.scrollWidth <= innerWidth));
    await wall.context().close();
    const phone = await look(browser, room, { width: 390, height: 844 });
    assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await phone.context().close();
  });

  test("prints", async () => {
    const page = await look(browser, room);
    const pdf = await page.pdf({ format: "A4" });
    assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
    assert.ok(pdf.length > 20_000, `${pdf.length} bytes`);
    await page.context().close();
  });

  test("is light: weight, first paint, work a tick", async () => {
    const dist = new URL("../dist/", import.meta.url);
    const weight = readdirSync(dist).reduce((sum, f) => sum + statSync(new URL(f, dist)).size, 0);
    assert.ok(weight <= 150_000, `${weight} bytes`);
    const page = await look(browser, room);
    const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Infinity);
    assert.ok(paint <= 1000, `first paint after ${paint} ms`);
    const ms = await work(page);
    console.log(`# weight ${weight} bytes, first paint ${Math.round(paint)} ms; main thread a second, 2 charts of 900 points: ${told(ms)}`);
    await page.context().close(); // nothing beside what is measured
    const many = await look(browser, room, { path: "/?charts=18", height: 6000 });
    const all = await work(many);
    console.log(`# main thread a second, 20 charts of 900 points: ${told(all)}`);
    await many.context().close();
    assert.ok(all.least.TaskDuration <= 50, told(all)); // the goal is 25 where nothing else runs; docs/warroom.md has what was measured
  });

  // SOAK=30m, or SOAK=180s.
  const [, length, unit] = /^(\d+(?:\.\d+)?)([smh])$/.exec(process.env.SOAK ?? "") ?? [];
  const soak = length ? Number(length) * { s: 1 / 60, m: 1, h: 60 }[unit] : 0;
  test("does not grow when left open", { skip: soak > 0 ? false : "SOAK is not set, e.g. SOAK=30m", timeout: (soak + 2) * 60_000 }, async () => {
    const page = await look(browser, room);
    const cdp = await page.context().newCDPSession(page);
    const heap = async () => { await cdp.send("HeapProfiler.collectGarbage"); return (await cdp.send("Runtime.getHeapUsage")).usedSize; };
    await page.waitForTimeout(20_000);
    const from = await heap();
    await page.waitForTimeout(soak * 60_000);
    const to = await heap(), grown = (to - from) / 1e6;
    console.log(`# heap ${(from / 1e6).toFixed(2)} MB, after ${soak} min at 1 Hz ${(to / 1e6).toFixed(2)} MB: grew by ${grown.toFixed(2)} MB`);
    assert.ok(grown < 10);
    await page.context().close();
  });
});

test("costs the server little for each of two hundred viewers", { skip: existsSync("/proc/self/stat") ? false : "no /proc to read the server's CPU time from" }, async (t) => {
  const quiet = await serve("quiet"), open = [];
  t.after(() => { for (const r of open) r.destroy(); return quiet.close(); });
  const cpu = () => { const f = readFileSync(`/proc/${quiet.process.pid}/stat`, "utf8").split(") ")[1].split(" "); return 10 * (Number(f[11]) + Number(f[12])); }; // ms; the kernel counts in hundredths of a second
  const wait = (ms) => new Promise((ok) => setTimeout(ok, ms));
  let bytes = 0, last = 0;
  for (const n of [1, 50, 200]) {
    while (open.length < n) open.push(get(quiet.url + "/api/warroom/stream", { agent: false }, (r) => r.on("data", (d) => { bytes += d.length; })));
    await wait(3000);
    const [from, had] = [cpu(), bytes];
    await wait(10_000);
    last = (cpu() - from) / 10;
    console.log(`# ${n} viewers: ${last.toFixed(1)} ms of the server's CPU a second, ${((bytes - had) / n / 10_000).toFixed(1)} kB/s each`);
    assert.ok(bytes - had > n * 5000, "each gets its deltas");
  }
  assert.ok(last / 200 < 1, `${last} ms a second for 200 viewers`);
});

test("a room without data says what to send", async (t) => {
  const empty = await serve("empty");
  t.after(() => empty.close());
  const page = await look(browser, empty);
  assert.equal(await text(page, ".word strong"), "UNKNOWN");
  assert.match(await text(page, ".empty"), /127\.0\.0\.1:4317/);
  await page.keyboard.press("7");
  for (const [kind, word] of [["pods", "kubelet"], ["namespaces", "k8s.namespace.name"]]) {
    await page.click(`.drilled nav button:text-is("${kind}")`);
    await until(page, (w) => document.querySelector(".members")?.textContent.includes(w), word);
  }
  assert.equal(await page.locator(".ledger").count(), 0);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});
