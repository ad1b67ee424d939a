// Sign-in, advertising and video beside each other. MAX_RATE and MAX_VISITORS
// are for each of the three.
import * as advertisingScript from './advertising.js';
import * as signInScript from './sign-in.js';
import * as videoScript from './video.js';

const scripts = [signInScript, advertisingScript, videoScript];
export const options = {
  ...signInScript.options,
  scenarios: Object.assign({}, ...scripts.map((s) => s.options.scenarios)),
  thresholds: Object.assign({}, ...scripts.map((s) => s.options.thresholds)),
};
export const { signIn } = signInScript;
export const { advertising } = advertisingScript;
export const { video } = videoScript;
