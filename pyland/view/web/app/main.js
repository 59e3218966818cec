/**
 * The page: reads what there is, joins its parts, and lets each react to the state.
 */
import { AreaDrawing } from "./area_drawing.js";
import { BalancePanel } from "./balance_panel.js";
import { Choices } from "./choices.js";
import { CyclePanel } from "./cycle_panel.js";
import { DataSource } from "./data_source.js";
import { Downloads } from "./downloads.js";
import { FieldLoader } from "./field_loader.js";
import { chosenLanguage, Language, LANGUAGES, unitText } from "./language.js";
import { MapPresenter } from "./map_presenter.js";
import { MapView } from "./map_view.js";
import { Messages } from "./messages.js";
import { decode, followAddress } from "./permalink.js";
import { SeriesPanel } from "./series_panel.js";
import { ShownRuns } from "./shown_runs.js";
import { State } from "./state.js";
import { SwipeDivider } from "./swipe_divider.js";
import { Tabs } from "./tabs.js";
import { TimeBar } from "./time_bar.js";

const ASKED_AGAIN = 10000; // a run that grows, and a cycle, are asked for what is new this often [ms]
const KEY_MOVE = 0.2; // of the frame that an arrow key moves the map
const KEY_ZOOM = 1.5;

/** Return the element of a class. */
const at = (name) => document.querySelector(`.${name}`);

/** Everything that parts of the page need of each other. */
const page = { state: new State(), source: new DataSource(), language: new Language(), sides: [], drawing: null };
page.runs = new ShownRuns(page.source);
page.loader = new FieldLoader(page.source);

/** Draw the map, and remember when that ends. */
function drawMap() {
  page.lastDrawing = page.presenter.update();
  return page.lastDrawing;
}

/** Mark what is chosen on the map. */
function mark(corners = page.corners ?? []) {
  const { grid } = page.map;
  if (!grid || page.sides.length === 0) return;
  page.corners = corners;
  const { values } = page.state;
  const inPlane = (places) => places.map(([longitude, latitude]) => grid.toPlane(latitude, longitude));
  const isInside = values.point && values.point[0] < grid.ny && values.point[1] < grid.nx;
  const stations = page.sides[0].run.index.sites ?? [];
  const drawn = inPlane(corners);
  page.map.setMarks({
    point: isInside ? grid.middle(...values.point) : null,
    areas: [...(values.polygon ? [inPlane(values.polygon)] : []), ...(drawn.length > 1 ? [drawn] : [])],
    corners: drawn,
    stations:
      grid.isSites || !Choices.showsStations(values, stations)
        ? []
        : stations.map(({ lat, lon }) => grid.toPlane(lat, lon)),
  });
}

/** After a map was drawn: everything that says what it shows. */
page.shown = (sides) => {
  page.sides = sides;
  const [first] = sides;
  const { ends, starts } = page.runs.times(first.run, first.variable);
  page.timeBar.setTimes(ends, starts, first.place);
  page.choices.show(sides);
  page.downloads.show(sides);
  page.divider.show(sides.length > 1, page.state.values.divider);
  ["side-a", "side-b"].forEach(
    (name, place) => (at(name).textContent = sides[place] ? `${"AB"[place]}: ${sides[place].run.title}` : ""),
  );
  mark();
};

/** Say the value under the pointer. */
function read(x, y) {
  const { language } = page;
  const cell = page.presenter.cellAt(x, y);
  if (!cell) {
    at("readout").textContent = language.text("map.no_cell");
    return;
  }
  const words = cell.values.map((value, place) => {
    const { scale, variable, statistic, run } = page.sides[place];
    const side = page.sides.length > 1 ? `${"AB"[place]} ` : "";
    const found = scale.classes?.find((one) => one.value === value);
    const unit = statistic === "percentile" ? "%" : unitText(variable.units);
    const text = found ? found.text : `${language.number(value)}${unit && Number.isFinite(value) ? ` ${unit}` : ""}`;
    return `${side}${text}${run.grid.names ? ` · ${run.grid.names[cell.column]}` : ""}`;
  });
  at("readout").textContent = `${words.join("   ")} · ${language.place(...cell.centre)}`;
}

/** Choose the cell at a place, or add a corner to the area that is being drawn. */
function tap(x, y) {
  if (page.drawing.isDrawing) {
    const [latitude, longitude] = page.map.grid.toGeographic(x, y);
    page.drawing.add(longitude, latitude);
    return;
  }
  const cell = page.presenter.cellAt(x, y);
  if (cell) page.state.change({ point: [cell.row, cell.column], panel: "series" });
}

/** Change all words. */
async function speak(name) {
  await page.language.use(name);
  page.language.apply();
  at("language").value = name;
  document.title = `${page.runs.catalogue.title ?? ""} · pyland`;
  page.timeBar.relabel();
  page.map.relabel();
  page.cycle.redraw();
  if (page.sides.length > 0) {
    await Promise.all([drawMap(), page.series.redraw(), page.balance.redraw()]);
  }
}

/** Ask for what is new in a run that grows. */
async function askAgain() {
  const { values } = page.state;
  const described = page.runs.described(values.run);
  const cycle = page.runs.catalogue.runs.find((one) => one.is_cycle);
  try {
    if (cycle) {
      const known = page.runs.catalogue.version;
      await page.runs.open();
      await page.cycle.update(cycle.id);
      if (page.runs.catalogue.version !== known) await drawMap();
    }
    if (described) {
      const before = (await page.runs.run(values.run)).index;
      if (before.is_growing) {
        const { index } = await page.runs.run(values.run, true);
        if (index.version !== before.version) {
          page.presenter.forget();
          await drawMap();
        }
      }
    }
  } catch (error) {
    page.messages.tell(error, page.retry);
  }
  setTimeout(askAgain, ASKED_AGAIN);
}

/** Join the parts of the page to the state. */
function join() {
  const { state, language } = page;
  const areas = {
    changed: mark,
    done: (polygon) => {
      if (polygon) state.change({ polygon, zone: null, panel: "balance" });
      else mark([]);
      page.corners = [];
      mark();
    },
  };
  page.messages = new Messages(at("message"), language);
  page.map = new MapView(at("map-figure"), {
    tap,
    move: read,
    leave: () => (at("readout").textContent = language.text("map.hint")),
    view: (view) => state.change({ view }, "replace"),
    settled: () => page.divider.show(page.sides.length > 1, state.values.divider),
    degrees: (value, isParallel) => {
      const [positive, negative] = isParallel ? ["north", "south"] : ["east", "west"];
      const side = value === 0 ? "" : language.text(value > 0 ? positive : negative);
      return `${language.number(Math.abs(value), 6)}° ${side}`.trim();
    },
  });
  page.presenter = new MapPresenter(page);
  page.timeBar = new TimeBar(at("time-bar"), {
    language,
    change: (time, history) => state.change({ time }, history),
    drawn: () => page.lastDrawing,
  });
  page.choices = new Choices(at("choices"), page);
  page.downloads = new Downloads(at("downloads"), page);
  page.series = new SeriesPanel(at("series-panel"), page);
  page.balance = new BalancePanel(at("balance-panel"), page);
  page.cycle = new CyclePanel(at("cycle-panel"), page);
  page.tabs = new Tabs(at("panels"), (panel) => state.change({ panel }, "replace"));
  page.drawing = new AreaDrawing(at("choice-area"), areas);
  page.divider = new SwipeDivider(
    at("divider"),
    () => page.map.frame,
    (divider) => state.change({ divider }, "replace"),
  );
  page.retry = () => start();
  react();
  reach();
}

/** What follows from a change of the state. */
function react() {
  const { state } = page;
  state.listen(["divider", "opacity"], ({ divider, opacity }, changed) => {
    if (!changed.has("swipe")) page.map.setDivider(divider, opacity);
    page.divider.show(page.sides.length > 1, divider);
    page.root.querySelector(".opacity-shown").textContent = `${Math.round(opacity * 100)} %`;
  });
  const shown = [
    "run",
    "variable",
    "statistic",
    "layer",
    "time",
    "palette",
    "reversed",
    "limits",
    "swipe",
    "other_run",
    "other_variable",
    "other_statistic",
  ];
  state.listen(shown, drawMap);
  state.listen(["run"], (_values, _changed, history) => {
    if (history !== "none") state.change({ view: null, point: null }, "replace");
  });
  state.listen(["run", "variable", "layer", "point"], () => page.series.update());
  state.listen(["time"], ({ time }) => page.series.setMoment(time));
  state.listen(["run", "polygon", "zone", "from", "to"], () => page.balance.update());
  state.listen(["point", "polygon", "stations"], () => mark());
  state.listen(["panel"], ({ panel }) => page.tabs.show(panel));
  state.listen(["view"], ({ view }, _changed, history) => {
    if (history === "none") page.map.setView(view);
  });
  state.listen(["language"], ({ language }) => speak(language).catch((error) => page.messages.tell(error)));
}

/** Buttons, keys and selects that belong to no part. */
function reach() {
  const { state } = page;
  at("language").replaceChildren(...Object.entries(LANGUAGES).map(([name, text]) => new Option(text, name)));
  at("language").addEventListener("change", (event) => state.change({ language: event.target.value }));
  at("zoom-in").addEventListener("click", () => page.map.zoom(KEY_ZOOM));
  at("zoom-out").addEventListener("click", () => page.map.zoom(1 / KEY_ZOOM));
  at("zoom-whole").addEventListener("click", () => {
    page.map.setView(null);
    state.change({ view: null }, "replace");
  });
  at("area-clear").addEventListener("click", () => state.change({ polygon: null, zone: null }));
  at("share").addEventListener("click", async () => {
    await navigator.clipboard.writeText(window.location.href);
    at("share-done").textContent = page.language.text("share.done");
    setTimeout(() => (at("share-done").textContent = ""), 4000);
  });
  at("help").addEventListener("click", () => at("help-words").showModal());
  at("help-close").addEventListener("click", () => at("help-words").close());
  at("map-stage").addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (event.key in moves) page.map.move(...moves[event.key].map((one) => one * KEY_MOVE));
    else if (event.key === "+" || event.key === "=") page.map.zoom(KEY_ZOOM);
    else if (event.key === "-") page.map.zoom(1 / KEY_ZOOM);
    else return;
    event.preventDefault();
  });
}

/** Read the catalogue and show what the address asks for. */
async function start() {
  const asked = decode(window.location.hash);
  try {
    await page.runs.open();
    const { catalogue } = page.runs;
    page.tiles = catalogue.tiles
      ? typeof catalogue.tiles === "string"
        ? { url: catalogue.tiles }
        : catalogue.tiles
      : null;
    at("title").textContent = catalogue.title ?? "";
    const language = chosenLanguage(
      asked.language,
      catalogue.language_default ?? catalogue.language,
      navigator.language,
    );
    await page.language.use(language);
    page.language.apply();
    at("language").value = language;
    document.title = `${catalogue.title ?? ""} · pyland`;
    const cycle = catalogue.runs.find((one) => one.is_cycle);
    at("tab-cycle").hidden = !cycle;
    const run = page.runs.withMaps(asked.run);
    if (asked.run && !page.runs.described(asked.run)) page.messages.show(page.language.text("error.no_run", { run: asked.run }));
    const before = page.lastDrawing;
    page.state.change({ ...asked, language, run }, "none");
    if (page.lastDrawing === before) {
      for (const part of [page.presenter, page.series, page.balance]) part.update(); // tried again: nothing has changed
    }
    page.tabs.show(page.state.values.panel);
    at("readout").textContent = page.language.text("map.hint");
    if (cycle) page.cycle.update(cycle.id);
  } catch (error) {
    if (!page.language.has("error.gone"))
      await page.language.use(chosenLanguage(asked.language, navigator.language)).catch(() => {});
    page.language.apply();
    page.messages.tell(error, page.retry);
    return;
  }
  if (!page.isAsking) {
    page.isAsking = true;
    setTimeout(askAgain, ASKED_AGAIN);
  }
}

page.root = document.body;
join();
followAddress(page.state, (run) => page.runs.withMaps(run));
start();
