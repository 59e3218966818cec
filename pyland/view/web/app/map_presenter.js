/**
 * From what is chosen to what is drawn: asks for the maps, their colours and words, and gives them to the map.
 */
import { colourScale } from "./colour_scale.js";
import { unitText } from "./language.js";
import { painted } from "./map_view.js";
import { MercatorGrid } from "./mercator_grid.js";
import { ShownRuns } from "./shown_runs.js";

const RANGE_PATIENCE = 150; // a map is not held back longer for the range of its colours [ms]
const AHEAD = [1, -1, 2, 3]; // records that are read ahead, in the direction of the last step

/** Wait some time. */
function after(time) {
  return new Promise((done) => setTimeout(() => done(undefined), time));
}

/** Cells of a grid for those of another, by their places; -1: outside. */
function cellsBelow(grid, other) {
  const cells = new Int32Array(grid.ny * grid.nx).fill(-1);
  for (let row = 0; row < grid.ny; row += 1) {
    for (let column = 0; column < grid.nx; column += 1) {
      const cell = other.cellAt(...other.toPlane(...grid.centre(row, column)));
      if (cell) cells[row * grid.nx + column] = cell.row * other.nx + cell.column;
    }
  }
  return cells;
}

/** Tell whether two grids have the same cells, by their size and corners. */
function areAlike(one, other) {
  if (one.ny !== other.ny || one.nx !== other.nx || one.isSites !== other.isSites) return false;
  const ends = [
    [0, 0],
    [one.ny - 1, one.nx - 1],
  ];
  return (
    one.isNorthFirst === other.isNorthFirst &&
    ends.every(([row, column]) => {
      const [here, there] = [one.centre(row, column), other.centre(row, column)];
      return Math.abs(here[0] - there[0]) < 1e-4 && Math.abs(here[1] - there[1]) < 1e-4;
    })
  );
}

export class MapPresenter {
  #ranges = new Map();
  #below = new Map();
  #turn = 0;
  #direction = 1;
  #lastPlace = -1;
  #shownRun = null;
  #edgeOf = null;
  #laid = Promise.resolve();

  /** @param {Object} page state, runs, loader, source, language, map; see main.js */
  constructor(page) {
    this.page = page;
    this.sides = [];
  }

  /** Return the wish of one side: its run, variable, statistic, layer and record. */
  async #wish(values, isOther) {
    const { runs } = this.page;
    const id = isOther ? (values.other_run ?? runs.partner(values.run)) : values.run;
    const run = await runs.run(id);
    const variable = runs.variable(run, isOther ? (values.other_variable ?? values.variable) : values.variable);
    if (!variable) return null;
    const wanted = isOther ? (values.other_statistic ?? values.statistic) : values.statistic;
    const statistic = variable.statistics.includes(wanted) ? wanted : variable.statistics[0];
    const layer = Math.min(values.layer, (variable.layers?.length ?? 1) - 1);
    const { ends, starts } = runs.times(run, variable);
    const place = ShownRuns.placeOf(ends, values.time);
    const path = { run: id, variable: variable.id, statistic, layer, time: variable.isTimeless ? null : place };
    return { run, variable, statistic, layer, place, start: starts[place], end: ends[place], path };
  }

  /** Return the range of colours that a run gives; undefined if it takes too long: then the map is drawn again with it. */
  async #range({ path }) {
    const key = `${path.run}/${path.variable}/${path.statistic}/${path.layer}`;
    if (!this.#ranges.has(key)) {
      const answer = { value: undefined };
      answer.promise = this.page.source
        .range(path)
        .catch(() => null)
        .then((range) => (answer.value = range));
      this.#ranges.set(key, answer);
    }
    const answer = this.#ranges.get(key);
    if (answer.value !== undefined) return answer.value;
    const early = await Promise.race([answer.promise, after(RANGE_PATIENCE)]);
    if (early === undefined) answer.promise.then(() => this.update());
    return early;
  }

  /** Draw what the state says. Resolves when it is on the screen, or when something newer is wanted. */
  async update() {
    this.#turn += 1;
    const turn = this.#turn;
    const started = performance.now();
    const { state, map, loader, messages, retry } = this.page;
    const { values } = state;
    try {
      const first = await this.#wish(values, false);
      if (!first || first.run.grid === null) {
        messages.show(this.page.language.text("error.no_fields"));
        return;
      }
      const second = values.swipe && !first.run.grid.isSites ? await this.#wish(values, true) : null;
      if (turn !== this.#turn) return;
      if (first.place < 0 && !first.variable.isTimeless) {
        messages.show(this.page.language.text("error.no_records"), retry);
        return;
      }
      const wishes = second ? [first, second] : [first];
      const paths = wishes.map(({ path }) => this.page.source.mapPath(path));
      const ranges = Promise.all(wishes.map((wish) => (values.limits === null ? this.#range(wish) : null)));
      const [fields] = await Promise.all([loader.load(paths), this.#lay(first.run, values.view)]);
      if (fields === null || turn !== this.#turn) return;
      const known = await ranges;
      if (turn !== this.#turn) return;
      this.#draw(wishes, fields, known, values);
      await painted();
      map.settle();
      performance.measure("pyland:map", { start: started, end: performance.now() });
      map.container.dataset.drawn = paths.join(" ");
      messages.clear();
      this.#ahead(wishes);
    } catch (error) {
      if (turn === this.#turn) messages.tell(error, retry);
    }
  }

  /** Lay out the map for the grid of a run, while its values are under way. */
  #lay(run, view) {
    if (this.#shownRun !== run.id) {
      const { tiles, map } = this.page;
      this.#shownRun = run.id;
      this.#edgeOf = null;
      const { isSites } = run.grid;
      const grid = tiles && !isSites ? new MercatorGrid(run.grid) : run.grid;
      this.#laid = this.#laid.then(() => map.setGrid(grid, isSites ? null : tiles, view));
    }
    return this.#laid;
  }

  #draw(wishes, fields, ranges, values) {
    const { language, map } = this.page;
    const [first, second] = wishes;
    const isAlike = Boolean(second) && first.variable.id === second.variable.id && first.statistic === second.statistic;
    this.sides = wishes.map((wish, place) => {
      const own = place === 1 ? this.#onCells(first.run, wish.run, fields[1]) : fields[0];
      const variable = wish.variable.classes
        ? {
            ...wish.variable,
            classes: wish.variable.classes.map((one) => ({ ...one, text: language.given(one.label, one.id) })),
          }
        : wish.variable;
      const scale = colourScale({
        variable,
        statistic: wish.statistic,
        palette: values.palette,
        reversed: values.reversed,
        limits: place === 1 && !isAlike && Array.isArray(values.limits) ? null : values.limits,
        range: isAlike ? ranges[0] : ranges[place],
        fields: isAlike ? fields : [fields[place]],
      });
      const side = second ? `${"AB"[place]}: ` : "";
      const label = isAlike || !second ? this.#quantity(wish) : side + this.#quantity(wish);
      return { ...wish, values: own, scale, label, isAlike, write: (value) => language.number(value) };
    });
    if (isAlike) this.sides[1].scale = this.sides[0].scale;
    const names = second
      ? wishes.map(({ run }, place) => `${"AB"[place]}: ${run.title}`).join("  |  ")
      : first.run.title;
    const moments = first.variable.isTimeless ? "" : ` · ${language.interval(first.start, first.end)}`;
    const heading =
      second && !isAlike
        ? wishes.map((wish) => this.#quantity(wish, false)).join("  |  ")
        : this.#quantity(first, false);
    const place = `${first.run.id}/${first.variable.id}/${first.layer}`;
    map.draw({
      titles: [heading, names + moments],
      first: this.sides[0],
      second: this.sides[1] ?? null,
      divider: values.divider,
      opacity: values.opacity,
      isNewPlace: place !== this.#edgeOf,
    });
    this.#edgeOf = place;
    map.container.setAttribute("aria-label", language.text("map.described", { heading, names, moments }));
    this.page.shown(this.sides);
  }

  /** Return the values of another run on the cells of the first. */
  #onCells(run, other, values) {
    if (areAlike(run.grid, other.grid)) return values;
    const key = `${run.id}/${other.id}`;
    if (!this.#below.has(key)) this.#below.set(key, cellsBelow(run.grid, other.grid));
    return Float32Array.from(this.#below.get(key), (cell) => (cell < 0 ? NaN : values[cell]));
  }

  /** Return variable, depth, statistic and unit in words. */
  #quantity({ variable, statistic, layer }, hasUnit = true) {
    const { language } = this.page;
    const depth = variable.layers ? ` ${language.layerName(variable.layers[layer], layer)}` : "";
    const kind = statistic === "field" ? "" : `, ${language.statisticName(statistic)}`;
    const unit = statistic === "percentile" ? "%" : unitText(variable.units);
    return `${language.variableName(variable)}${depth}${kind}${hasUnit && unit ? ` [${unit}]` : ""}`;
  }

  #ahead(wishes) {
    const [{ place }] = wishes;
    if (this.#lastPlace >= 0 && place !== this.#lastPlace) this.#direction = Math.sign(place - this.#lastPlace);
    this.#lastPlace = place;
    const paths = [];
    for (const step of AHEAD) {
      for (const { run, variable, path, end } of wishes) {
        const { ends } = this.page.runs.times(run, variable);
        const next = ShownRuns.placeOf(ends, end) + step * this.#direction;
        if (path.time !== null && next >= 0 && next < ends.length) {
          paths.push(this.page.source.mapPath({ ...path, time: next }));
        }
      }
    }
    this.page.loader.readAhead(paths);
  }

  /** Forget ranges, after a run was written anew. */
  forget() {
    this.#ranges.clear();
  }

  /** Return the cell at a place of the plane and the values of the sides there. */
  cellAt(x, y) {
    const { map } = this.page;
    if (!map.grid || this.sides.length === 0) return null;
    const cell = map.grid.isSites ? map.grid.cellAt(x, y, 14 * map.pixel) : map.grid.cellAt(x, y);
    if (!cell) return null;
    const place = cell.row * map.grid.nx + cell.column;
    return {
      ...cell,
      centre: map.grid.centre(cell.row, cell.column),
      values: this.sides.map((side) => side.values[place]),
    };
  }
}
