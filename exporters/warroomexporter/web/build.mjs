// Builds web/dist, which the exporter embeds: index.html, app.js, app.css.
import { build } from "esbuild";
import { copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";

const limit = 150_000; // bytes, all together: first paint within a second on a poor line
mkdirSync("dist", { recursive: true });
for (const f of readdirSync("dist")) if (f !== ".keep") rmSync(`dist/${f}`, { recursive: true });
await build({
  entryPoints: { app: "src/main.tsx" },
  outdir: "dist", bundle: true, minify: true, format: "esm", target: "es2022",
  jsx: "automatic", jsxImportSource: "preact", legalComments: "none", logLevel: "warning",
});
copyFileSync("src/index.html", "dist/index.html");
const sizes = readdirSync("dist").map((f) => [f, statSync(`dist/${f}`).size]);
const total = sizes.reduce((sum, [, n]) => sum + n, 0);
console.log(sizes.map(([f, n]) => `${f} ${n}`).join(", ") + `; ${total} bytes in all, at most ${limit}`);
if (total > limit) {
  console.error(`the page weighs ${total} bytes, more than ${limit}`);
  process.exit(1);
}
