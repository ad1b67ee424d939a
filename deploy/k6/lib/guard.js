// What keeps a rehearsal from hitting anything but what it was meant for.
//
// All of it is looked at before the first request, and everything that is wrong
// is told at once.

const truthy = (v) => v !== undefined && v !== '';

// settings reads the environment (k6 run -e NAME=…); an error lists every problem.
export function settings(env) {
  const wrong = [];
  const number = (name, standard, least, most) => {
    const n = truthy(env[name]) ? Number(env[name]) : standard;
    if (!(n >= least && n <= most)) wrong.push(`${name} must be a number from ${least} to ${most} (got ${env[name]})`);
    return n;
  };
  const target = /^(https?):\/\/([^/:?#@]+)(?::\d+)?\/?$/.exec(env.TARGET || '');
  if (!truthy(env.TARGET)) wrong.push('TARGET is required: the staging system\'s address, e.g. -e TARGET=https://staging.example.com');
  else if (!target) wrong.push(`TARGET must be scheme and host, without a path or user (got ${env.TARGET})`);
  const host = target ? target[2] : '';
  if (target && env.I_MAY_LOAD !== host) {
    wrong.push(`I_MAY_LOAD must repeat the target's host, as your word that it is yours to load and that who runs it knows: -e I_MAY_LOAD=${host}`);
  }
  const never = (env.NEVER || '').split(',').map((h) => h.trim()).filter(Boolean);
  if (never.some((h) => host === h || host.endsWith(`.${h}`))) wrong.push(`TARGET ${host} is one of NEVER`);
  const out = {
    target: (env.TARGET || '').replace(/\/$/, ''),
    host,
    scale: number('SCALE', 0.001, 1e-6, 1),
    minutes: number('MINUTES', 0, 0, 240), // 0: as long as the scenario
    maxRate: number('MAX_RATE', 50, 1, 200000), // requests/s
    maxVisitors: number('MAX_VISITORS', 500, 1, 100000), // at one time
  };
  if (wrong.length > 0) throw new Error(`this rehearsal does not begin:\n  - ${wrong.join('\n  - ')}`);
  return out;
}
