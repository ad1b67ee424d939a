// node --import ./shim.mjs SCRIPT: k6's modules and globals, as much as the
// scripts use, so that their logic runs without k6. Nothing is sent: requests
// are recorded.
import { readFileSync } from 'node:fs';
import * as loader from 'node:module';
import { fileURLToPath } from 'node:url';

const modules = {
  'k6': 'export const check = (v, cs) => { const ok = Object.values(cs).every((c) => c(v)); globalThis.k6.checks.push(ok); return ok; }; export const sleep = (s) => { globalThis.k6.slept += s; };',
  'k6/http': 'export default { request: (method, url, body, params) => { globalThis.k6.requests.push({ method, url, body, params }); return { status: globalThis.k6.status(url) }; } };',
  'k6/execution': 'export const scenario = { get iterationInTest() { return globalThis.k6.iteration; } };',
};
const resolve = (name, context, next) => (modules[name] ? { url: `data:text/javascript,${encodeURIComponent(modules[name])}`, shortCircuit: true } : next(name, context));
if (loader.registerHooks) loader.registerHooks({ resolve });
else {
  loader.register(`data:text/javascript,${encodeURIComponent(`const modules = ${JSON.stringify(modules)}; export const resolve = ${resolve};`)}`);
}

globalThis.k6 = { requests: [], checks: [], slept: 0, iteration: 0, status: () => 200 };
globalThis.__ENV = JSON.parse(process.env.K6_ENV || '{}');
// Files are opened beside the scripts.
globalThis.open = (path) => readFileSync(path.startsWith('/') ? path : fileURLToPath(new URL(path, new URL('../', import.meta.url))), 'utf8');
