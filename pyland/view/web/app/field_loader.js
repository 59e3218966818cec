/**
 * Maps from the source: kept in memory, one request at a time, what nobody waits for any more is let go.
 */

const KEPT = 96 * 2 ** 20; // of maps that were shown or read ahead [byte]
const PATIENCE = 300; // a request that is no longer wanted may end within this time, then it is aborted [ms]

/**
 * Maps by path. A slider asks faster than maps come: the map that is under way is finished where it comes soon, so that
 * something is seen while the slider moves, and of those that wait only the last is asked for.
 */
export class FieldLoader {
  #source;
  #fields = new Map();
  #size = 0;
  #current = null;
  #waiting = null;
  #reading = null;

  /** @param {import("./data_source.js").DataSource} source */
  constructor(source) {
    this.#source = source;
  }

  /** Return maps that are at hand, or null if one of them is not. */
  atHand(paths) {
    return paths.every((path) => this.#fields.has(path)) ? paths.map((path) => this.#touched(path)) : null;
  }

  #touched(path) {
    const values = this.#fields.get(path);
    this.#fields.delete(path);
    this.#fields.set(path, values); // a Map keeps the order of insertion: the first is the one not used for longest
    return values;
  }

  #keep(path, values) {
    if (this.#fields.has(path)) return;
    this.#fields.set(path, values);
    this.#size += values.byteLength;
    for (const [oldest, old] of this.#fields) {
      if (this.#size <= KEPT || oldest === path) break;
      this.#fields.delete(oldest);
      this.#size -= old.byteLength;
    }
  }

  /**
   * Return maps; null if others were asked for while they waited.
   * @param {string[]} paths of the maps that are shown together
   * @returns {Promise<?Float32Array[]>}
   */
  async load(paths) {
    const known = this.atHand(paths);
    if (known) {
      this.#drop();
      return known;
    }
    this.#reading?.abort();
    if (this.#current) {
      this.#waiting?.give(false);
      const mine = {};
      mine.turn = new Promise((give) => (mine.give = give));
      this.#waiting = mine;
      const late = this.#current;
      setTimeout(() => late.controller.abort(), Math.max(0, late.started + PATIENCE - performance.now()));
      if (!(await mine.turn)) return null;
    }
    const current = { controller: new AbortController(), started: performance.now() };
    this.#current = current;
    try {
      await Promise.all(paths.map((path) => this.#read(path, current.controller.signal)));
      return paths.map((path) => this.#fields.get(path));
    } catch (error) {
      if (error.name === "AbortError") return null;
      throw error;
    } finally {
      this.#current = null;
      const next = this.#waiting;
      this.#waiting = null;
      next?.give(true);
    }
  }

  async #read(path, signal) {
    if (this.#fields.has(path)) this.#touched(path);
    else this.#keep(path, await this.#source.values(path, signal));
  }

  /** Let those go that wait: what is wanted now is at hand. */
  #drop() {
    this.#waiting?.give(false);
    this.#waiting = null;
  }

  /**
   * Read maps that may be wanted next, one after the other, until something is asked for.
   * @param {string[]} paths
   */
  async readAhead(paths) {
    this.#reading?.abort();
    if (this.#current) return;
    const controller = new AbortController();
    this.#reading = controller;
    for (const path of paths) {
      if (controller.signal.aborted) return;
      try {
        await this.#read(path, controller.signal);
      } catch {
        return; // whoever asks for this map gets the message
      }
    }
  }

  /** Forget all maps, after a run was written anew. */
  forget() {
    this.#fields.clear();
    this.#size = 0;
  }
}
