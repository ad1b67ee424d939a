// One visit: the steps in their order, with a person's gaps between them.
import http from 'k6/http';
import { check, sleep } from 'k6';

// between is a whole number from least to most.
export const between = (least, most, random) => least + Math.floor(random() * (most - least + 1));

// gap is a person's pause, log-normal around the mean, or a timer's even one.
export function gap(step, random) {
  if (step.timer) return step.gap_seconds * (0.97 + 0.06 * random());
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const sigma = 0.6;
  return Math.min(step.gap_seconds * Math.exp(sigma * normal - (sigma * sigma) / 2), step.gap_seconds * 6);
}

// fill puts a visitor's values for {account}, {session} and {random}.
export function fill(text, visitor, random) {
  return text.replace(/\{(account|session|random)\}/g, (_, what) => (what === 'random' ? String(Math.floor(random() * 1e10)) : visitor[what]));
}

// visit makes the requests. endpoints says where each step goes; accounts are
// test accounts of the target's own.
export function visit(numbers, settings, endpoints, visitor, random = Math.random) {
  let made = 0;
  for (const step of numbers.steps) {
    if (random() >= step.share) continue;
    for (let n = between(step.least, step.most, random); n > 0; n--) {
      sleep(gap(step, random));
      const to = endpoints[step.name];
      const response = http.request(to.method || 'GET', settings.target + fill(to.path, visitor, random),
        to.body ? fill(JSON.stringify(to.body), visitor, random) : null, {
          headers: { 'User-Agent': 'vigie-rehearsal (k6)', ...(to.body ? { 'Content-Type': 'application/json' } : {}), ...(to.headers || {}) },
          tags: { step: step.name, name: step.name },
          redirects: 0, // a redirect could lead off the target
          timeout: '30s',
        });
      check(response, { 'answered as expected': (r) => (to.expect || [200, 204, 304]).includes(r.status) });
      made++;
    }
  }
  return made;
}

// who is the visitor of an iteration; accounts go round.
export function who(iteration, accounts) {
  return { account: accounts[iteration % accounts.length], session: (0x100000000 + iteration).toString(16).slice(-8).repeat(2) };
}

// missing are the steps for which there is no endpoint.
export function missing(numbers, endpoints) {
  return numbers.steps.filter((s) => !endpoints[s.name] || !/^\//.test(endpoints[s.name].path || '')).map((s) => s.name);
}
