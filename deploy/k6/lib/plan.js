// From a scenario's numbers to k6's options: arrivals in stages, and thresholds.

const mean = (step) => (step.share * (step.least + step.most)) / 2;

// only keeps the steps that a script makes.
export function only(numbers, names) {
  const steps = numbers.steps.filter((s) => names.includes(s.name));
  for (const n of names) if (!steps.some((s) => s.name === n)) throw new Error(`${numbers.scenario} has no step ${n}`);
  return { ...numbers, steps };
}

export const requestsPerVisit = (numbers) => numbers.steps.reduce((sum, s) => sum + mean(s), 0);
export const secondsPerVisit = (numbers) => numbers.steps.reduce((sum, s) => sum + mean(s) * s.gap_seconds, 0);
export const peak = (numbers) => Math.max(...numbers.visits_per_second);

/**
 * @typedef {import('k6/options').Scenario} Scenario
 * @typedef {{ [name: string]: import('k6/options').Threshold[] }} Thresholds
 */

// scenario is one of k6's, or an error that says what to lower. Requests a second
// are counted over a visit, as they are once visits overlap.
/** @returns {Scenario} */
export function scenario(numbers, settings, exec) {
  const minute = 60; // arrivals are counted a minute, so that small scales are whole numbers
  const seconds = settings.minutes > 0 ? settings.minutes * 60 : numbers.seconds;
  const stage = seconds / numbers.visits_per_second.length;
  const busiest = peak(numbers) * settings.scale;
  const rate = busiest * requestsPerVisit(numbers);
  if (rate > settings.maxRate) {
    throw new Error(`at SCALE=${settings.scale} ${exec} makes ${Math.ceil(rate)} requests a second at its peak, and MAX_RATE is ${settings.maxRate}: `
      + `lower SCALE to ${floor(settings.scale * settings.maxRate / rate)}, or raise MAX_RATE if the target is meant to take that`);
  }
  // Little's law, and half as many again for slow answers.
  const visitors = Math.max(2, Math.ceil(busiest * (secondsPerVisit(numbers) + 2) * 1.5));
  if (visitors > settings.maxVisitors) {
    throw new Error(`at SCALE=${settings.scale} ${exec} needs ${visitors} visitors at one time, and MAX_VISITORS is ${settings.maxVisitors}: `
      + 'lower SCALE, raise MAX_VISITORS, or spread the run over several machines');
  }
  return {
    executor: 'ramping-arrival-rate',
    exec,
    startRate: 0,
    timeUnit: `${minute}s`,
    preAllocatedVUs: Math.ceil(visitors / 2),
    maxVUs: visitors,
    gracefulStop: '30s',
    stages: numbers.visits_per_second.map((v) => ({ target: Math.round(v * settings.scale * minute), duration: `${stage}s` })),
  };
}

// floor keeps two digits, and is never above x.
const floor = (x) => {
  const unit = 10 ** (Math.floor(Math.log10(x)) - 1);
  return Number((Math.floor(x / unit) * unit).toPrecision(2));
};

// thresholds: a run that breaks one has failed, and one that fails badly stops,
// so that a rehearsal does not go on against a system that is down.
/** @returns {Thresholds} */
export function thresholds(names, limits) {
  /** @type {Thresholds} */
  const out = {
    http_req_failed: [
      { threshold: 'rate<0.01' },
      { threshold: 'rate<0.25', abortOnFail: true, delayAbortEval: '30s' },
    ],
    dropped_iterations: [{ threshold: 'count<1' }], // else k6 itself was too small, and the figures are of another match
    checks: [{ threshold: 'rate>0.99' }],
  };
  for (const n of names) {
    if (!limits[n]) throw new Error(`no limit for ${n}: add it to limits.json`);
    out[`http_req_duration{step:${n}}`] = [{ threshold: `p(95)<${limits[n].p95}` }, { threshold: `p(99)<${limits[n].p99}` }];
  }
  return out;
}
