/**
 * The map: images of fields with their colour bars, outline, graticule and marks, in one Bokeh figure.
 */
import { classPlaces } from "./colour_scale.js";
import { graticule } from "./graticule.js";
import { library, showFigure } from "./library.js";
import { outline } from "./outline.js";
import { picture, pieces } from "./picture.js";
import { roundTicks } from "./ticks.js";

const SPARE = 1.04; // the first view is wider than the grid by this factor
const SETTLED = 120; // lines are drawn anew when the map has rested for so long [ms]
const NARROWEST = 0.004; // deepest zoom as a share of the grid
const WIDEST = 8; // farthest view in widths of the grid
const INK = "#1d2733";
const MARK = "#d81b60";
const FONT = "system-ui, sans-serif";
const TITLE_SIZES = [14, 12]; // [pixel]
const BAR_SIZE = 12; // [pixel]
const LEAST_TITLE = 8; // [pixel]

/** Wait until the browser has painted. */
export function painted() {
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}

/** Write a base map address the way Bokeh wants it. */
function tileAddress(address) {
  return address.replace("{z}", "{Z}").replace("{x}", "{X}").replace("{y}", "{Y}");
}

export class MapView {
  #plot = null;
  #drawn = null;
  #timer = null;
  #frame = null;
  #isFitting = false;

  /**
   * @param {HTMLElement} container is filled by the map
   * @param {{tap: Function, move: Function, leave: Function, view: Function, settled: Function}} actions tap and move get
   *   a place in the plane; view gets [x, y, width] after the reader moved the map
   */
  constructor(container, actions) {
    this.container = container;
    this.actions = actions;
    new ResizeObserver(() => requestAnimationFrame(() => this.#fit(this.view))).observe(container);
  }

  /**
   * Show another grid.
   * @param {import("./grid.js").Grid} grid
   * @param {?{url: string, attribution: string}} tiles of a base map
   * @param {?number[]} view [x, y, width], null: the whole grid
   */
  async setGrid(grid, tiles, view) {
    const Bokeh = await library();
    this.grid = grid;
    this.view = view;
    this.plot = null;
    this.fitted = null;
    this.#drawn = null;
    const { bounds } = grid;
    const plot = Bokeh.Plotting.figure({
      sizing_mode: "stretch_both",
      tools: [],
      toolbar_location: null,
      x_range: [bounds.left, bounds.right],
      y_range: [bounds.bottom, bounds.top],
      x_axis_type: null,
      y_axis_type: null,
      outline_line_color: "#c6cdd6",
      background_fill_color: "#f7f8fa",
      min_border_left: 6,
      min_border_right: 6,
      min_border_top: 2,
      min_border_bottom: 4,
      match_aspect: false,
    });
    plot.xgrid.visible = false;
    plot.ygrid.visible = false;
    const wheel = new Bokeh.WheelZoomTool({ maintain_focus: false });
    plot.add_tools(new Bokeh.PanTool(), wheel);
    plot.toolbar.active_scroll = wheel;
    this.titles = TITLE_SIZES.map(
      (size, place) =>
        new Bokeh.Title({
          text: "",
          text_font_size: `${size}px`,
          text_font_style: place === 0 ? "bold" : "normal",
          text_color: INK,
          standoff: 4,
          text_font: FONT,
        }),
    );
    plot.add_layout(this.titles[1], "above");
    plot.add_layout(this.titles[0], "above");
    if (tiles) this.#addTiles(plot, tiles);
    this.sides = [this.#addSide(plot, "bar"), this.#addSide(plot, "second bar")];
    this.sides[1].bar.visible = false;
    this.marks = this.#addMarks(plot);
    for (const name of ["tap", "doubletap"]) plot.on_event(name, (event) => this.actions.tap(event.x, event.y));
    plot.on_event("mousemove", (event) => this.actions.move(event.x, event.y));
    plot.on_event("mouseleave", () => this.actions.leave());
    for (const range of [plot.x_range, plot.y_range]) range.change.connect(() => this.#moved());
    this.#plot = await showFigure(plot, this.container);
    this.plot = plot;
    this.#fit(view);
  }

  #addTiles(plot, tiles) {
    const source = new window.Bokeh.WMTSTileSource({
      url: tileAddress(tiles.url),
      attribution: tiles.attribution ?? "",
    });
    plot.add_layout(new window.Bokeh.TileRenderer({ tile_source: source, level: "image" }));
  }

  /** Add the image of one side of the divider, points for sites, and its colour bar. */
  #addSide(plot, name) {
    const { Bokeh } = window;
    const mapper = new Bokeh.LinearColorMapper({
      palette: ["#ffffff", "#000000"],
      low: 0,
      high: 1,
      nan_color: "rgba(0, 0, 0, 0)",
    });
    const source = new Bokeh.ColumnDataSource({ data: { image: [], x: [], y: [], dw: [], dh: [] } });
    const image = plot.image({
      image: { field: "image" },
      x: { field: "x" },
      y: { field: "y" },
      dw: { field: "dw" },
      dh: { field: "dh" },
      color_mapper: mapper,
      source,
      level: "image",
    });
    const sites = new Bokeh.ColumnDataSource({ data: { x: [], y: [], value: [] } });
    plot.scatter({
      x: { field: "x" },
      y: { field: "y" },
      source: sites,
      size: 16,
      line_color: INK,
      line_width: 1.5,
      fill_color: { field: "value", transform: mapper },
    });
    const bar = new Bokeh.ColorBar({
      name,
      color_mapper: mapper,
      orientation: "horizontal",
      height: 12,
      padding: 6,
      title: "",
      title_standoff: 4,
      title_text_font_style: "normal",
      title_text_font_size: "12px",
      title_text_color: INK,
      major_label_text_font_size: "11px",
      major_label_text_color: INK,
      title_text_font: FONT,
      major_label_text_font: FONT,
      ticker: new Bokeh.FixedTicker({ ticks: [] }),
      background_fill_alpha: 0,
      bar_line_color: "#6b7684",
      major_tick_line_color: INK,
      major_tick_in: 0,
      major_tick_out: 4,
    });
    plot.add_layout(bar, "below");
    return { mapper, source, image, sites, bar };
  }

  #addMarks(plot) {
    const { Bokeh } = window;
    const lines = () => new Bokeh.ColumnDataSource({ data: { xs: [], ys: [] } });
    const points = () => new Bokeh.ColumnDataSource({ data: { x: [], y: [] } });
    const labels = () => new Bokeh.ColumnDataSource({ data: { x: [], y: [], text: [] } });
    const marks = {
      graticule: lines(),
      edge: lines(),
      parallels: labels(),
      meridians: labels(),
      stations: points(),
      point: points(),
      area: lines(),
      corners: points(),
    };
    const along = { xs: { field: "xs" }, ys: { field: "ys" } };
    const at = { x: { field: "x" }, y: { field: "y" } };
    plot.multi_line({ ...along, source: marks.graticule, line_color: "#55606e", line_alpha: 0.45, line_width: 0.8 });
    plot.multi_line({ ...along, source: marks.edge, line_color: INK, line_width: 0.9, line_alpha: 0.8 });
    const label = {
      ...at,
      text: { field: "text" },
      text_font_size: "11px",
      text_color: INK,
      text_font: FONT,
      background_fill_color: "#ffffff",
      background_fill_alpha: 0.7,
      padding: 1,
    };
    plot.text({ ...label, source: marks.parallels, x_offset: 3, text_baseline: "middle" });
    plot.text({ ...label, source: marks.meridians, y_offset: -3, text_align: "center", text_baseline: "bottom" });
    plot.scatter({
      ...at,
      source: marks.stations,
      marker: "triangle",
      size: 8,
      fill_color: "#ffffff",
      line_color: INK,
      line_width: 1.2,
    });
    plot.patches({
      ...along,
      source: marks.area,
      fill_color: MARK,
      fill_alpha: 0.05,
      line_color: MARK,
      line_width: 2.5,
    });
    plot.scatter({ ...at, source: marks.corners, size: 8, fill_color: "#ffffff", line_color: MARK, line_width: 2 });
    plot.scatter({
      ...at,
      source: marks.point,
      marker: "circle",
      size: 15,
      fill_alpha: 0,
      line_color: "#ffffff",
      line_width: 5,
    });
    plot.scatter({
      ...at,
      source: marks.point,
      marker: "circle",
      size: 15,
      fill_alpha: 0,
      line_color: MARK,
      line_width: 2.5,
    });
    return marks;
  }

  /**
   * Draw one map, or two beside each other.
   * @param {{titles: string[], first: Object, second: ?Object, divider: number, opacity: number}} what a side has values,
   *   scale (colour_scale.js), label, write (number to text) and grid, that of its values
   */
  draw(what) {
    this.#drawn = what;
    const sides = [what.first, what.second];
    this.pictures = sides.map((side) => {
      if (!side || this.grid.isSites) return null;
      const values = side.scale.classes ? classPlaces(side.values, side.scale.classes) : side.values;
      return picture(this.grid, values);
    });
    this.#write(what.titles);
    sides.forEach((side, place) => this.#drawScale(this.sides[place], side, what.second?.isAlike && place === 1));
    if (this.grid.isSites) this.#drawSites(what.first);
    this.#drawPieces();
    if (what.isNewPlace) this.isEdgeOld = true;
  }

  /** Write the lines above the map, smaller where they are long. */
  #write(titles) {
    titles.forEach((text, place) => {
      this.titles[place].setv({
        text,
        text_font_size: this.#fontSize(text, TITLE_SIZES[place], place === 0 ? "bold" : "normal"),
      });
    });
  }

  /** Return the size of letters with which a line has room above or below the map. */
  #fontSize(text, usual, weight) {
    const room = (this.frame?.width ?? this.container.clientWidth) - 12;
    const canvas = document.createElement("canvas").getContext("2d");
    canvas.font = `${weight} ${usual}px ${FONT}`;
    const size = Math.floor((usual * room) / Math.max(canvas.measureText(text).width, 1));
    return `${Math.max(LEAST_TITLE, Math.min(usual, size))}px`;
  }

  /** After painting: draw the edge of another field; if bars came or went, lay the map into its new frame. */
  settle() {
    const { frame } = this;
    if (this.isEdgeOld) {
      this.isEdgeOld = false;
      this.#drawEdge(this.#drawn.first.values);
    }
    if (!frame || !this.fitted || (frame.width === this.fitted.width && frame.height === this.fitted.height)) return;
    this.#fit(this.view);
    this.actions.settled();
  }

  #drawScale(side, shown, isHidden) {
    side.bar.visible = Boolean(shown) && !isHidden;
    if (!shown) return;
    const { scale, label, write } = shown;
    side.mapper.setv({ palette: scale.colours, low: scale.low, high: scale.high });
    const places = scale.classes ? scale.classes.map((_one, place) => place + 0.5) : roundTicks(scale.low, scale.high);
    const words = scale.classes ? scale.classes.map((one) => one.text) : places.map(write);
    side.bar.setv({ title: label, title_text_font_size: this.#fontSize(label, BAR_SIZE, "normal") });
    side.bar.major_label_overrides = new Map(places.map((place, count) => [place, words[count]]));
    side.bar.ticker.ticks = places;
  }

  #drawSites({ values, scale }) {
    const coloured = scale.classes ? classPlaces(values, scale.classes) : values;
    this.sides[0].sites.data = { x: this.grid.longitude, y: this.grid.latitude, value: Array.from(coloured) };
  }

  /** Cut the images at the divider. */
  #drawPieces() {
    if (!this.plot || !this.pictures || this.grid.isSites) return;
    const { divider, opacity, second } = this.#drawn;
    const { start, end } = this.plot.x_range;
    const cut = start + divider * (end - start);
    const [left, right] = this.pictures;
    const isWhole = !second || opacity < 1;
    this.#fill(this.sides[0].source, pieces(left, left.left, isWhole ? left.right : cut));
    this.#fill(this.sides[1].source, second ? pieces(right, cut, right.right) : []);
    this.sides[1].image.glyph.global_alpha = opacity;
  }

  #fill(source, parts) {
    const { ndarray } = window.Bokeh.require("core/util/ndarray");
    source.data = {
      image: parts.map(({ values, width, height }) => ndarray(values, { shape: [height, width] })),
      x: parts.map(({ x }) => x),
      y: parts.map(({ y }) => y),
      dw: parts.map(({ dw }) => dw),
      dh: parts.map(({ dh }) => dh),
    };
  }

  #drawEdge(values) {
    if (!this.grid.isSites) this.marks.edge.data = outline(this.grid, values);
    this.#drawLines();
  }

  /** Move the divider between the two maps, 0 to 1 of the frame. */
  setDivider(divider, opacity) {
    if (!this.#drawn || !this.plot) return;
    Object.assign(this.#drawn, { divider, opacity });
    this.#drawPieces();
  }

  /** Place of the frame within the container [pixel]: left, top, width, height; null before the first layout. */
  get frame() {
    const box = this.#plot?.frame?.bbox;
    return box && box.width > 1 ? { left: box.left, top: box.top, width: box.width, height: box.height } : null;
  }

  /** Degrees or cells that one pixel is wide. */
  get pixel() {
    return (this.plot.x_range.end - this.plot.x_range.start) / (this.frame?.width ?? 1);
  }

  /**
   * Mark the chosen cell, an area and the corners of one that is being drawn, and stations.
   * @param {{point: ?number[], areas: number[][][], corners: number[][], stations: number[][]}} marks in the plane
   */
  setMarks({ point, areas, corners, stations }) {
    const split = (places) => ({ x: places.map(([x]) => x), y: places.map(([, y]) => y) });
    const area = { xs: areas.map((ring) => ring.map(([x]) => x)), ys: areas.map((ring) => ring.map(([, y]) => y)) };
    this.marks.point.data = split(point ? [point] : []);
    this.marks.area.data = area;
    this.marks.corners.data = split(corners);
    this.marks.stations.data = split(stations);
  }

  /** Show a part of the plane, [x, y, width]; null: the whole grid. */
  setView(view) {
    this.#fit(view);
  }

  /** Zoom about the middle. */
  zoom(factor) {
    const [x, y, width] = this.#seen();
    const whole = this.grid.bounds.right - this.grid.bounds.left;
    this.#fit([x, y, Math.min(whole * WIDEST, Math.max(whole * NARROWEST, width / factor))]);
    this.actions.view(this.view);
  }

  /** Move by parts of the frame. */
  move(across, up) {
    const { x_range: xs, y_range: ys } = this.plot;
    const [x, y, width] = this.#seen();
    this.#fit([x + across * (xs.end - xs.start), y + up * (ys.end - ys.start), width]);
    this.actions.view(this.view);
  }

  #seen() {
    const { x_range: xs, y_range: ys } = this.plot;
    return [(xs.start + xs.end) / 2, (ys.start + ys.end) / 2, xs.end - xs.start];
  }

  #fit(view) {
    const { frame } = this;
    if (!this.plot || !frame) {
      if (this.plot) requestAnimationFrame(() => this.#fit(view)); // before the first layout
      return;
    }
    const { left, right, bottom, top } = this.grid.bounds;
    const shape = frame.height / frame.width / this.grid.aspect;
    this.view = view;
    const [x, y, width] = view ?? [
      (left + right) / 2,
      (bottom + top) / 2,
      SPARE * Math.max(right - left, (top - bottom) / shape),
    ];
    this.fitted = frame;
    this.#isFitting = true;
    this.plot.x_range.setv({ start: x - width / 2, end: x + width / 2 });
    this.plot.y_range.setv({ start: y - (width * shape) / 2, end: y + (width * shape) / 2 });
    this.#isFitting = false;
    this.#rest();
  }

  /** The reader moved the map. */
  #moved() {
    if (this.#isFitting || !this.fitted) return; // tiles move ranges before the first layout
    this.view = this.#seen();
    this.#rest();
  }

  #rest() {
    if (this.#frame === null) {
      this.#frame = requestAnimationFrame(() => {
        this.#frame = null;
        if (this.#drawn?.second) this.#drawPieces();
      });
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#drawLines();
      this.actions.settled();
      if (this.view) this.actions.view(this.view);
    }, SETTLED);
  }

  #drawLines() {
    if (!this.plot || !this.frame) return;
    const { x_range: xs, y_range: ys } = this.plot;
    const part = { left: xs.start, right: xs.end, bottom: ys.start, top: ys.end };
    const { labels, ...lines } = graticule(this.grid, part, this.actions.degrees);
    this.marks.graticule.data = lines;
    const written = (isParallel) => {
      const mine = labels.filter((one) => one.isParallel === isParallel);
      return { x: mine.map(({ x }) => x), y: mine.map(({ y }) => y), text: mine.map(({ text }) => text) };
    };
    this.marks.parallels.data = written(true);
    this.marks.meridians.data = written(false);
  }

  /** Draw degrees again, in another language. */
  relabel() {
    this.#drawLines();
  }

  /** Return the map as PNG. */
  async image() {
    const layer = this.#plot.export("png", true);
    return new Promise((done) => layer.canvas.toBlob(done, "image/png"));
  }
}
