/** What a User-Agent header says about a browser, in two words. Pure. */

/** @type {readonly (readonly [RegExp, string])[]} the first that fits */
const BROWSERS = [[/\bEdgA?\//, "Edge"], [/\bOPR\//, "Opera"], [/\bFirefox\//, "Firefox"], [/\bChrom(e|ium)\//, "Chrome"], [/\bSafari\//, "Safari"], [/^curl\//, "curl"]];
/** @type {readonly (readonly [RegExp, string])[]} */
const SYSTEMS = [[/Android/, "Android"], [/iPhone|iPad/, "iOS"], [/Windows/, "Windows"], [/Mac OS X/, "macOS"], [/CrOS/, "ChromeOS"], [/Linux/, "Linux"]];

/** @param {string} agent @returns {string} "Firefox on Linux" */
export function agentName(agent) {
  const browser = BROWSERS.find(([pattern]) => pattern.test(agent))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(agent))?.[1];
  if (!browser) return agent.slice(0, 40) || "Unknown program";
  return system ? `${browser} on ${system}` : browser;
}
