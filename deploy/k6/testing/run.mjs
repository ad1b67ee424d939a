// node --import ./shim.mjs run.mjs SCRIPT FUNCTION TIMES: prints what the script
// is and does, as JSON.
const [script, name, times] = process.argv.slice(2);
try {
  const m = await import(new URL(`../${script}`, import.meta.url));
  for (let i = 0; i < Number(times); i++) {
    globalThis.k6.iteration = i;
    m[name]();
  }
  const { requests, checks, slept } = globalThis.k6;
  process.stdout.write(JSON.stringify({ options: m.options, exports: Object.keys(m), requests, checks: checks.length, passed: checks.filter(Boolean).length, slept }));
} catch (e) {
  process.stdout.write(JSON.stringify({ error: e.message }));
}
