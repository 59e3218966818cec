/**
 * Runs with their index and grid, and what of them is shown where nothing was chosen or the choice is not there.
 */
import { readGrid } from "./grid.js";
import { instant } from "./language.js";

const USUAL = "soil_water"; // the variable that is shown first, where a run has it

/** Return the fields of the domain as variables without time. */
function domainVariables(index) {
  return (index.domain?.fields ?? []).map((field) => ({
    ...field,
    id: `domain.${field.id}`,
    name: field.id,
    long_name: field.long_name ?? field.label,
    statistics: ["field"],
    layers: null,
    isTimeless: true,
    palette: field.classes ? "class" : "sequential",
  }));
}

export class ShownRuns {
  #runs = new Map();

  /** @param {import("./data_source.js").DataSource} source */
  constructor(source) {
    this.source = source;
    this.catalogue = { runs: [] };
  }

  /** Read the catalogue. */
  async open() {
    this.catalogue = await this.source.catalogue();
  }

  /** Return what the catalogue says of a run. */
  described(id) {
    return this.catalogue.runs.find((one) => one.id === id);
  }

  /**
   * Return a run.
   * @param {string} id
   * @param {boolean} again read its index again
   * @returns {Promise<{id: string, title: string, index: Object, grid: Object, variables: Object[]}>}
   */
  async run(id, again = false) {
    if (again || !this.#runs.has(id)) {
      const index = await this.source.index(id, again);
      const before = this.#runs.get(id);
      const grid = before?.grid ?? (index.grid ? await readGrid(this.source, index.grid) : null);
      const variables = [...(index.variables ?? []), ...domainVariables(index)];
      this.#runs.set(id, { id, title: this.described(id)?.title ?? id, index, grid, variables });
    }
    return this.#runs.get(id);
  }

  /** Return the run that is shown first. */
  get firstRun() {
    const { runs } = this.catalogue;
    return (runs.find((one) => one.has_fields !== false && !one.is_open_loop) ?? runs[0])?.id ?? null;
  }

  /** Return the run with maps for the one of an address: itself, the newest product of a cycle, or the first. */
  withMaps(id) {
    const hasMaps = (one) => one && one.has_fields !== false;
    if (hasMaps(this.described(id))) return id;
    const products = this.catalogue.runs.filter((one) => one.parent === id && hasMaps(one));
    return (this.described(id) && products[0]?.id) || this.firstRun;
  }

  /** Return the run that another is compared with: its open loop, or any other, or itself. */
  partner(id) {
    const { runs } = this.catalogue;
    const others = runs.filter((one) => one.id !== id && one.has_fields !== false);
    const mine = others.find(
      (one) => one.is_open_loop && (one.parent === id || one.parent === this.described(id)?.parent),
    );
    return (mine ?? others.find((one) => one.is_open_loop) ?? others[0])?.id ?? id;
  }

  /** Return a variable of a run that is there: the wanted, the usual or the first. */
  variable(run, id) {
    const { variables } = run;
    return variables.find((one) => one.id === id) ?? variables.find((one) => one.id === USUAL) ?? variables[0];
  }

  /** Return times of a variable: ends and starts of its records. */
  times(run, variable) {
    if (variable?.isTimeless) return { ends: [], starts: [] };
    return {
      ends: variable?.times ?? run.index.times ?? [],
      starts: variable?.time_start ?? run.index.time_start ?? [],
    };
  }

  /** Return the place of the record that is nearest to a moment; the last if there is no moment. */
  static placeOf(ends, moment) {
    if (ends.length === 0) return -1;
    const wanted = moment === null ? Infinity : instant(moment);
    if (!Number.isFinite(wanted)) return ends.length - 1;
    let [low, high] = [0, ends.length - 1];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (instant(ends[middle]) <= wanted) low = middle;
      else high = middle;
    }
    return wanted - instant(ends[low]) <= instant(ends[high]) - wanted ? low : high;
  }
}
