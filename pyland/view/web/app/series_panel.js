/**
 * The panel of one cell: its place, its series as a chart and as a table with commas.
 */
import { commaSeparated, save } from "./comma_separated.js";
import { unitText } from "./language.js";
import { SeriesChart } from "./series_chart.js";

/** Return the table of a series: one row per record; observations follow in a table of their own. */
export function seriesTable(series, comments) {
  const columns = ["mean", "std", "min", "max", "median"].filter((name) => series[name]);
  columns.push(
    ...Object.keys(series)
      .filter((name) => /^p\d\d$/.test(name))
      .sort(),
  );
  const others = ["open_loop", "truth"].filter((name) => series[name]?.mean && !series[name].time);
  const rows = series.time.map((time, place) => [
    time,
    ...columns.map((name) => series[name][place]),
    ...others.map((name) => series[name].mean[place]),
  ]);
  let text = commaSeparated(comments, ["time_end", ...columns, ...others.map((name) => `${name}_mean`)], rows);
  for (const stream of series.observations ?? []) {
    const observed = stream.time.map((time, place) => [
      time,
      stream.value[place],
      stream.error?.[place],
      stream.status?.[place],
      stream.reason?.[place],
    ]);
    text += commaSeparated(
      [`observations: ${stream.name} [${stream.units ?? ""}]`],
      ["time", "value", "error", "status", "reason"],
      observed,
    );
  }
  return text;
}

export class SeriesPanel {
  #shown = null;
  #controller = null;

  /** @param {HTMLElement} root @param {Object} page see main.js */
  constructor(root, page) {
    this.root = root;
    this.page = page;
    this.chart = new SeriesChart(root.querySelector(".series-chart"));
    this.caption = root.querySelector(".series-place");
    this.note = root.querySelector(".series-note");
    this.button = root.querySelector(".series-csv");
    this.button.addEventListener("click", () => this.#save());
    const form = root.querySelector(".series-form");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#goTo(Number(form.elements.latitude.value), Number(form.elements.longitude.value));
    });
  }

  #goTo(latitude, longitude) {
    const { map } = this.page;
    if (!map.grid) return;
    const cell = map.grid.cellAt(...map.grid.toPlane(latitude, longitude));
    if (cell) this.page.state.change({ point: [cell.row, cell.column] });
    else this.page.messages.show(this.page.language.text("error.outside"));
  }

  /** Show the series of the chosen cell of the first side of the map. */
  async update() {
    const { state, source, runs, language, messages } = this.page;
    const { values } = state;
    this.#controller?.abort();
    const run = values.run ? await runs.run(values.run) : null;
    const variable = run ? runs.variable(run, values.variable) : null;
    const [row, column] = values.point ?? [];
    const isThere =
      Boolean(values.point) && run?.grid && row >= 0 && row < run.grid.ny && column >= 0 && column < run.grid.nx;
    if (!isThere || !variable || variable.isTimeless) {
      this.#clear(language.text(variable?.isTimeless && isThere ? "series.timeless" : "series.hint"));
      return;
    }
    const controller = new AbortController();
    this.#controller = controller;
    const layer = Math.min(values.layer, (variable.layers?.length ?? 1) - 1);
    const started = performance.now();
    try {
      const wish = { run: run.id, variable: variable.id, layer, row, column, signal: controller.signal };
      const series = await source.series(wish);
      if (controller.signal.aborted) return;
      const [latitude, longitude] = run.grid.centre(row, column);
      this.#shown = { series, run, variable, layer, row, column, latitude, longitude };
      await this.redraw();
      performance.measure("pyland:series", { start: started, end: performance.now() });
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#clear("");
      messages.tell(error, () => this.update());
    }
  }

  /** Draw what is shown again, in another language. */
  async redraw() {
    const { language, state } = this.page;
    if (!this.#shown) {
      if (this.root.classList.contains("is-empty")) this.update();
      return;
    }
    const { series, run, variable, layer, row, column, latitude, longitude } = this.#shown;
    const depth = variable.layers ? ` ${language.layerName(variable.layers[layer], layer)}` : "";
    const unit = unitText(variable.units);
    const name = `${language.variableName(variable)}${depth}`;
    this.root.classList.remove("is-empty");
    const site = run.grid.names ? `${run.grid.names[column]} · ` : "";
    this.caption.textContent = `${name} · ${site}${language.place(latitude, longitude)}`;
    this.note.textContent = this.#remarks(series, variable);
    this.button.disabled = false;
    this.root.querySelector("[name=latitude]").value = latitude.toFixed(4);
    this.root.querySelector("[name=longitude]").value = longitude.toFixed(4);
    await this.chart.show({
      series,
      label: unit ? `${name} [${unit}]` : name,
      unit: unit ? `[${unit}]` : "",
      moment: state.values.time,
      language,
      runTitle: run.title,
    });
    this.root.dataset.shown = `${run.id}/${variable.id}/${layer}/${row}_${column}`;
  }

  #remarks(series, variable) {
    const { language } = this.page;
    const derived = variable.derived_statistics ?? {};
    const remarks = [];
    if (series.mean.every((value) => value === null)) remarks.push(language.text("series.no_values"));
    if (series.p05 && derived.p05) remarks.push(language.text("note.normal"));
    return remarks.join(" ");
  }

  #clear(sentence) {
    this.#shown = null;
    this.chart.clear();
    this.caption.textContent = sentence;
    this.note.textContent = "";
    this.button.disabled = true;
    this.root.classList.add("is-empty");
    delete this.root.dataset.shown;
  }

  /** Move the marker of the time of the map. */
  setMoment(moment) {
    this.chart.setMoment(moment);
  }

  #save() {
    const { series, run, variable, layer, row, column, latitude, longitude } = this.#shown;
    const depth = variable.layers?.[layer];
    const comments = [
      `run: ${run.title}`,
      `variable: ${variable.id} [${variable.units}]`,
      ...(depth?.top !== undefined && depth?.top !== null ? [`depth: ${depth.top}-${depth.bottom} m`] : []),
      `cell: row ${row}, column ${column}; ${latitude.toFixed(5)} degrees north, ${longitude.toFixed(5)} degrees east`,
      "time_end: end of the interval, UTC",
    ];
    save(`${run.id}_${variable.id}_${row}_${column}.csv`, seriesTable(series, comments), "text/csv");
  }
}
