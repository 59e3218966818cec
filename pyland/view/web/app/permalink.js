/**
 * The address of the page holds what it shows: whoever opens it sees the same, and the back button goes back.
 */
import { INITIAL } from "./state.js";

const WAIT = 250; // of changes that come in quick succession, as of a slider, the last is written after this time [ms]
const NUMBERS = new Set(["layer", "divider", "opacity"]);
const TRUTHS = new Set(["reversed", "swipe"]);
const LISTS = new Set(["view", "point", "limits"]);

/** Write a number with as many digits as a permalink needs. */
function shortNumber(value) {
  return String(Number(value.toPrecision(8)));
}

/**
 * Return the part of an address behind '#' for the values of the page.
 * @param {Object} values see state.js
 * @returns {string}
 */
export function encode(values) {
  const parts = [];
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === INITIAL[name]) continue;
    let text;
    if (name === "polygon") text = value.map((corner) => corner.map(shortNumber).join(",")).join(";");
    else if (Array.isArray(value)) text = value.map(shortNumber).join(",");
    else if (NUMBERS.has(name)) text = shortNumber(value);
    else if (TRUTHS.has(name)) text = value ? "1" : "0";
    else text = String(value);
    // colons, commas and semicolons are allowed in this part of an address and read better as they are
    parts.push(`${name}=${encodeURIComponent(text).replace(/%3A/g, ":").replace(/%2C/g, ",").replace(/%3B/g, ";")}`);
  }
  return parts.join("&");
}

/** Return the numbers of a text that commas part, or null if one of them is none. */
function numbersOf(text) {
  const numbers = text.split(",").map(Number);
  return text !== "" && numbers.every(Number.isFinite) ? numbers : null;
}

/**
 * Read the part of an address behind '#'. What cannot be read is left as it is at the beginning.
 * @param {string} hash with or without '#'
 * @returns {Object} all values of the page
 */
export function decode(hash) {
  const values = { ...INITIAL };
  for (const [name, text] of new URLSearchParams(hash.replace(/^#/, "").replace(/\+/g, "%2B"))) {
    if (!(name in INITIAL)) continue;
    if (name === "polygon") {
      const corners = text.split(";").map(numbersOf);
      if (corners.length >= 3 && corners.every((corner) => corner?.length === 2)) values[name] = corners;
    } else if (name === "limits" && text === "data") values[name] = text;
    else if (LISTS.has(name)) values[name] = numbersOf(text);
    else if (NUMBERS.has(name)) values[name] = Number.isFinite(Number(text)) ? Number(text) : INITIAL[name];
    else if (TRUTHS.has(name)) values[name] = text === "1";
    else values[name] = text;
  }
  if (values.view?.length !== 3) values.view = null;
  if (values.point?.length !== 2) values.point = null;
  if (Array.isArray(values.limits) && values.limits.length !== 2) values.limits = null;
  values.divider = Math.min(1, Math.max(0, values.divider));
  values.opacity = Math.min(1, Math.max(0, values.opacity));
  values.layer = Math.max(0, Math.round(values.layer));
  return values;
}

/**
 * Keep the address of the page and its state together, in both directions.
 * @param {import("./state.js").State} state
 * @param {function(?string): string} knownRun returns a run that is there for the one of an address
 */
export function followAddress(state, knownRun) {
  let timer = null;
  const write = (method) => {
    clearTimeout(timer);
    timer = null;
    const hash = `#${encode(state.values)}`;
    if (hash !== window.location.hash) window.history[method](null, "", hash);
  };
  state.listen(Object.keys(INITIAL), (_values, _changed, history) => {
    if (history === "none") return;
    if (history === "replace") {
      clearTimeout(timer);
      timer = setTimeout(() => write("replaceState"), WAIT);
    } else {
      write("pushState");
    }
  });
  window.addEventListener("popstate", () => {
    clearTimeout(timer);
    const asked = decode(window.location.hash);
    // the language is the reader's: going back does not change it
    state.change({ ...asked, run: knownRun(asked.run), language: state.values.language }, "none");
  });
}
