/**
 * The choices beside the map: what is shown, in which colours, what it is compared with.
 */
import { PALETTES, usualPalette } from "./palettes.js";

const FEW_STATIONS = 60; // so many are shown unless the reader says otherwise

/** Fill a list; entries are [value, text] or [group, entries]. */
function fill(select, entries, chosen) {
  const option = ([value, text]) => new Option(text, value, false, value === chosen);
  select.replaceChildren(
    ...entries.map(([value, text]) => {
      if (!Array.isArray(text)) return option([value, text]);
      const group = document.createElement("optgroup");
      group.label = value;
      group.append(...text.map(option));
      return group;
    }),
  );
  select.value = chosen;
}

export class Choices {
  /** @param {HTMLElement} root @param {Object} page see main.js */
  constructor(root, page) {
    this.root = root;
    this.page = page;
    const { state } = page;
    const at = (name) => root.querySelector(`[name=${name}]`);
    this.at = at;
    for (const name of ["run", "variable", "statistic", "palette", "other_run", "other_variable", "other_statistic"]) {
      at(name).addEventListener("change", (event) => state.change({ [name]: event.target.value }));
    }
    at("layer").addEventListener("change", (event) => state.change({ layer: Number(event.target.value) }));
    for (const name of ["reversed", "swipe"]) {
      at(name).addEventListener("change", (event) => state.change({ [name]: event.target.checked }));
    }
    at("stations").addEventListener("change", (event) =>
      state.change({ stations: event.target.checked ? "show" : "hide" }),
    );
    at("opacity").addEventListener("input", (event) =>
      state.change({ opacity: Number(event.target.value) / 100 }, "replace"),
    );
    at("limits").addEventListener("change", (event) => this.#limits(event.target.value));
    for (const name of ["low", "high"]) at(name).addEventListener("change", () => this.#limits("own"));
    at("zone").addEventListener("change", (event) => {
      state.change({
        zone: event.target.value || null,
        polygon: null,
        panel: event.target.value ? "balance" : state.values.panel,
      });
    });
  }

  #limits(kind) {
    const { state } = this.page;
    if (kind !== "own") {
      state.change({ limits: kind === "data" ? "data" : null });
      return;
    }
    const ends = ["low", "high"].map((name) => Number(this.at(name).value));
    if (ends[1] > ends[0]) state.change({ limits: ends });
    else this.page.messages.show(this.page.language.text("error.limits"));
  }

  /**
   * Show what can be chosen and what is.
   * @param {Object[]} sides what the map shows, see map_presenter.js
   */
  show(sides) {
    const { state, runs, language } = this.page;
    const { values } = state;
    const [first, second] = sides;
    const names = runs.catalogue.runs.filter((one) => one.has_fields !== false).map((one) => [one.id, one.title]);
    fill(this.at("run"), names, first.run.id);
    fill(this.at("variable"), this.#variables(first.run), first.variable.id);
    fill(this.at("statistic"), this.#statistics(first.variable), first.statistic);
    const layers = first.variable.layers ?? [];
    fill(
      this.at("layer"),
      layers.map((layer, place) => [String(place), language.layerName(layer, place)]),
      String(first.layer),
    );
    this.root.querySelector(".choice-layer").hidden = layers.length < 2;
    const isClasses = first.scale.kind === "classes";
    const usual = usualPalette(first.variable, first.statistic);
    const palettes = Object.keys(PALETTES).map((name) => [name === usual ? "" : name, name]);
    fill(this.at("palette"), palettes, values.palette === usual ? "" : values.palette);
    this.at("reversed").checked = values.reversed;
    const kind = Array.isArray(values.limits) ? "own" : (values.limits ?? "");
    fill(
      this.at("limits"),
      ["", "data", "own"].map((one) => [one, language.text(`limits.${one || "run"}`)]),
      kind,
    );
    for (const [name, value] of [
      ["low", first.scale.low],
      ["high", first.scale.high],
    ]) {
      if (document.activeElement !== this.at(name)) this.at(name).value = String(Number(value.toPrecision(4)));
    }
    for (const name of ["palette", "reversed", "limits", "low", "high"]) this.at(name).disabled = isClasses;
    this.#compare(values, first, second, names);
    this.#area(values, first.run);
    this.root.querySelector(".choice-note").textContent = this.#note(first);
  }

  #variables(run) {
    const { language } = this.page;
    const named = (variables) =>
      variables
        .map((one) => [one.id, language.variableName(one)])
        .sort(([, one], [, other]) => one.localeCompare(other, language.name));
    const moving = named(run.variables.filter((one) => !one.isTimeless));
    const still = named(run.variables.filter((one) => one.isTimeless));
    return still.length
      ? [
          [language.text("choice.records"), moving],
          [language.text("choice.domain"), still],
        ]
      : moving;
  }

  #statistics(variable) {
    return variable.statistics.map((one) => [one, this.page.language.statisticName(one)]);
  }

  #compare(values, first, second, names) {
    this.root.querySelector(".choice-compare").hidden = first.run.grid.isSites;
    this.at("swipe").checked = values.swipe;
    this.root.querySelector(".choice-other").hidden = !second;
    if (!second) return;
    fill(this.at("other_run"), names, second.run.id);
    fill(this.at("other_variable"), this.#variables(second.run), second.variable.id);
    fill(this.at("other_statistic"), this.#statistics(second.variable), second.statistic);
    this.at("opacity").value = String(Math.round(values.opacity * 100));
    this.root.querySelector(".opacity-shown").textContent = `${Math.round(values.opacity * 100)} %`;
  }

  #area(values, run) {
    const { language } = this.page;
    const zones = (run.index.zones ?? []).map(({ id, name }) => [
      id,
      id === "all" ? language.text("balance.whole") : name,
    ]);
    fill(this.at("zone"), [["", language.text("area.no_zone")], ...zones], values.zone ?? "");
    this.root.querySelector(".choice-zone").hidden = zones.length === 0;
    this.root.querySelector(".choice-area").hidden = run.grid.isSites && zones.length === 0;
    const stations = run.index.sites ?? [];
    this.root.querySelector(".choice-stations").hidden = stations.length === 0 || run.grid.isSites;
    this.at("stations").checked = Choices.showsStations(values, stations);
  }

  /** Tell whether stations are on the map. */
  static showsStations(values, stations) {
    return values.stations === "" ? stations.length <= FEW_STATIONS : values.stations === "show";
  }

  /** Say what a statistic was derived from. */
  #note({ variable, statistic, run }) {
    const { language } = this.page;
    if (variable.derived_statistics?.[statistic] === "normal") return language.text("note.normal");
    const note = run.index.statistics?.[statistic]?.note ?? variable.notes?.[statistic];
    return note ? language.given(note) : "";
  }
}
