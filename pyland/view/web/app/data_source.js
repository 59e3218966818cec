/**
 * Where the numbers come from: a server or files of a static site, under the same addresses relative to the page.
 */
import { sumFields } from "./balance_fields.js";
import { cellSeries } from "./series_tiles.js";

/** Why an answer could not be had: "gone" (no answer), "missing" (404), "refused" (another status). */
export class SourceError extends Error {
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

/** Fetch a path and return the answer; an abort stays an abort. */
async function answerOf(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new SourceError("gone", path);
  }
  if (answer.ok) return answer;
  let sentence = "";
  try {
    sentence = (await answer.json()).error ?? "";
  } catch {
    sentence = ""; // a plain web server sends a page of its own, which says no more than the status
  }
  throw new SourceError(answer.status === 404 ? "missing" : "refused", sentence || `${path}: ${answer.status}`);
}

/** Write one part of a path. */
const part = encodeURIComponent;

const FRESH = { cache: "no-cache" };

export class DataSource {
  #indices = new Map();

  /** Read what there is: title, runs, language, tiles of a base map. */
  async catalogue() {
    this.description = await (await answerOf("data/catalogue.json", FRESH)).json();
    return this.description;
  }

  /** Whether files lie still on a web server, so that nothing can be computed there. */
  get isStatic() {
    return Boolean(this.description?.is_static);
  }

  /**
   * Read what a run holds: grid, times, variables.
   * @param {string} run
   * @param {boolean} again ask even if it is known, for a run that grows
   */
  async index(run, again = false) {
    if (again || !this.#indices.has(run)) {
      this.#indices.set(run, await (await answerOf(`data/${part(run)}/index.json`, FRESH)).json());
    }
    return this.#indices.get(run);
  }

  /** Return values of a file of little-endian float32. */
  async values(path, signal) {
    return new Float32Array(await (await answerOf(path, { signal })).arrayBuffer());
  }

  /** Read a JSON file, or null where there is none. */
  async optionalJson(path, signal) {
    try {
      return await (await answerOf(path, { signal, ...FRESH })).json();
    } catch (error) {
      if (error.kind === "missing") return null;
      throw error;
    }
  }

  /** Add the version of a run to a path, so that the browser may keep the answer until the run has changed. */
  #versioned(run, path) {
    const version = this.#indices.get(run)?.version;
    return version ? `${path}?v=${part(version)}` : path;
  }

  /** Path of a map; its values have the shape (ny, nx). `time` null: a field of the domain without time. */
  mapPath({ run, variable, statistic, layer, time }) {
    const folder = `data/${part(run)}`;
    if (time === null) return this.#versioned(run, `${folder}/field/${part(variable.replace(/^domain\./, ""))}.bin`);
    return this.#versioned(run, `${folder}/map/${part(variable)}/${part(statistic)}/${layer}/${time}.bin`);
  }

  /** Read the range of colours of a variable, [2nd, 98th percentile], or null where the run does not say. */
  async range({ run, variable, statistic, layer }) {
    const path = this.#versioned(run, `data/${part(run)}/range/${part(variable)}/${part(statistic)}/${layer}.json`);
    return (await this.optionalJson(path))?.range ?? null;
  }

  /**
   * Read the series of a cell.
   * @returns {Promise<Object>} time, mean, std, p05, ..., observations, open_loop, units
   */
  async series({ run, variable, layer, row, column, signal }) {
    const index = await this.index(run);
    const folder = `data/${part(run)}/series/${part(variable)}/${layer}`;
    if (index.series?.kind === "tile") {
      const cell = `data/${part(run)}/observations/${row}_${column}.json`;
      return cellSeries({ source: this, index, folder, cell, variable, row, column, signal });
    }
    return (await answerOf(`${folder}/${row}_${column}.json`, { signal, ...FRESH })).json();
  }

  /**
   * Return the water balance of a zone of the run.
   * @param {{run: string, zone: string, from: ?string, to: ?string}} wish period in ISO dates, null: the whole run
   */
  async zoneBalance({ run, zone, from, to }) {
    const query = new URLSearchParams(Object.entries({ from, to }).filter(([, value]) => value)).toString();
    const path = `data/${part(run)}/zones/${part(zone)}/balance.json${query ? `?${query}` : ""}`;
    return (await answerOf(path, FRESH)).json();
  }

  /** Return the water balance of a polygon of [longitude, latitude], not closed. */
  async polygonBalance({ run, polygon, from, to, grid }) {
    const index = await this.index(run);
    if (index.balance === "fields") return sumFields({ source: this, index, run, grid, polygon, from, to });
    const geometry = { type: "Polygon", coordinates: [[...polygon, polygon[0]]] };
    const body = JSON.stringify({ polygon: geometry, from: from ?? null, to: to ?? null });
    const headers = { "Content-Type": "application/json" };
    return (await answerOf(`data/${part(run)}/balance`, { method: "POST", headers, body })).json();
  }

  /** Read products, alarms and latency of a cycle. */
  async cycle(run) {
    return (await answerOf(`data/${part(run)}/cycle.json`, FRESH)).json();
  }

  /** Path of a file of a map that the server makes. */
  mapDownload({ run, variable, statistic, layer, time }, format) {
    return `data/${part(run)}/download/${part(variable)}/${part(statistic)}/${layer}/${time}.${format}`;
  }
}
