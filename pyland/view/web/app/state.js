/**
 * What the page shows, in one object; everything on the page listens to it and nothing else holds a choice.
 */

/**
 * Values of the page before anything was chosen; the permalink leaves out what equals them.
 * Ranks of `point` are [row, column] of a cell; `view` is [x, y, width] of the map in its own plane; `polygon` is a list
 * of [longitude, latitude] in degrees; `limits` are those of the colours, null: those that the run gives, "data": those of
 * the map that is shown. `stations` is show, hide or nothing: shown where they are few.
 */
export const INITIAL = Object.freeze({
  language: null,
  run: null,
  variable: null,
  statistic: "mean",
  layer: 0,
  time: null,
  palette: "",
  reversed: false,
  limits: null,
  swipe: false,
  other_run: null,
  other_variable: null,
  other_statistic: null,
  divider: 0.5,
  opacity: 1,
  view: null,
  point: null,
  polygon: null,
  zone: null,
  from: null,
  to: null,
  panel: "series",
  stations: "",
});

/** Compare two values of the state; lists by what they hold. */
function isSame(one, other) {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

export class State {
  #values = { ...INITIAL };
  #listeners = [];

  /** Values by name; not to be changed by the reader. */
  get values() {
    return this.#values;
  }

  /**
   * Change some values and tell those who listen to any of them, in the order in which they began to listen.
   * @param {Object} changes values by name
   * @param {"push"|"replace"|"none"} history what the address of the page does: a new step, the same step, nothing
   */
  change(changes, history = "push") {
    const changed = new Set();
    const values = { ...this.#values };
    for (const [name, value] of Object.entries(changes)) {
      if (!(name in INITIAL)) throw new Error(`The state has no '${name}'.`);
      if (!isSame(values[name], value)) {
        values[name] = value;
        changed.add(name);
      }
    }
    if (changed.size === 0) return;
    this.#values = values;
    for (const { names, action } of this.#listeners) {
      if (names.some((name) => changed.has(name))) action(this.#values, changed, history);
    }
  }

  /**
   * Call a function after each change of one of some values.
   * @param {string[]} names
   * @param {function(Object, Set<string>, string): void} action gets values, changed names and what the address does
   */
  listen(names, action) {
    this.#listeners.push({ names, action });
  }
}
