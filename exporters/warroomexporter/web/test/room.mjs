// The server (the exporter's own test binary, showing a made-up scene) and the
// browser that the tests drive.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const binary = process.env.WARROOM_TEST_BINARY ?? "";
const browserPath = process.env.CHROMIUM ?? "/usr/bin/chromium";
if (!existsSync(binary)) throw new Error("WARROOM_TEST_BINARY must name the binary of: go test -c ./exporters/warroomexporter");
if (!existsSync(browserPath)) throw new Error(`no browser at ${browserPath}: apt-get install chromium, or set CHROMIUM`);

export const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const freePort = () => new Promise((ok) => {
  const s = createServer().listen(0, "127.0.0.1", () => { const { port } = s.address(); s.close(() => ok(port)); });
});

/** serve shows a scene until stop; start shows it again at the same address,
 *  with the same store. */
export async function serve(scene) {
  const store = mkdtempSync(join(tmpdir(), "warroom-")), address = `127.0.0.1:${await freePort()}`;
  const room = { url: `http://${address}`, process: undefined };
  room.start = () => new Promise((ok, no) => {
    const p = spawn(binary, ["-test.run=TestServeAScene$", "-test.timeout=3h"], {
      env: { ...process.env, VIGIE_WARROOM_SERVE: address, VIGIE_WARROOM_SCENE: scene, VIGIE_WARROOM_STORE: store }, stdio: ["ignore", "pipe", "inherit"],
    });
    room.process = p;
    p.stdout.on("data", (d) => { if (String(d).includes("serving")) ok(); });
    p.once("exit", (code) => { if (code) no(new Error(`the server ended with ${code}`)); });
  });
  room.stop = () => new Promise((ok) => { room.process.once("exit", ok); room.process.kill("SIGINT"); });
  room.close = async () => { await room.stop(); rmSync(store, { recursive: true, force: true }); };
  await room.start();
  return room;
}

export const launch = () => chromium.launch({
  executablePath: browserPath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-precise-memory-info"],
});

/** look opens the page and collects what must not happen: errors, and requests to
 *  another host. */
export async function look(browser, room, { path = "/", width = 1920, height = 1080, scheme = "dark" } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme });
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (e) => page.problems.push(e.message));
  page.on("console", (m) => { if (m.type() === "error" && !/ERR_CONNECTION|ERR_EMPTY|ERR_INCOMPLETE|Failed to load resource/.test(m.text())) page.problems.push(m.text()); });
  page.on("request", (r) => { if (!r.url().startsWith(room.url) && !r.url().startsWith("data:")) page.problems.push("request to " + r.url()); });
  await page.goto(room.url + path);
  await page.waitForSelector(".word");
  return page;
}
