// A script's frame: numbers, guard, options and the function that k6 calls. It
// stands beside the scripts, so that open() means the same folder whether a path
// is looked for beside this file or beside the script.
import { scenario as iteration } from 'k6/execution';
import { settings as read } from './lib/guard.js';
import { only, scenario, thresholds } from './lib/plan.js';
import { missing, visit, who } from './lib/visit.js';

const json = (path) => JSON.parse(open(path));

// rehearsal of some steps of a journey: k6's options, and what an iteration does.
export function rehearsal(exec, journey, steps) {
  const settings = read(__ENV);
  const numbers = only(json('./numbers.json')[journey], steps);
  const endpoints = json(__ENV.ENDPOINTS || './endpoints.json');
  const lacks = missing(numbers, endpoints);
  if (lacks.length > 0) throw new Error(`ENDPOINTS has no path for ${lacks.join(', ')}: see endpoints.json`);
  /** @type {import('k6/options').Options} */
  const options = {
    scenarios: { [exec]: scenario(numbers, settings, exec) },
    thresholds: thresholds(steps, json('./limits.json')),
    maxRedirects: 0,
    summaryTrendStats: ['avg', 'med', 'p(95)', 'p(99)', 'max'],
  };
  return {
    options,
    run: () => visit(numbers, settings, endpoints, who(iteration.iterationInTest, endpoints.accounts)),
  };
}
