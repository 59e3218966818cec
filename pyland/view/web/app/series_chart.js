/**
 * Series of a cell: the fan of the ensemble, the open loop, observations with their errors, and the time of the map.
 */
import { chart, COLOURS, legendAbove } from "./chart_style.js";
import { instant } from "./language.js";
import { library, showFigure, takeAway } from "./library.js";

const LETTER = 6.6; // width of a letter of the labels [pixel]
const RIM = 110; // of legend and dates [pixel]
const ROOM = 90; // of a date [pixel]
const HALF_DAY = 12 * 3600 * 1000; // [ms]
const LEAST_PLAIN = 0.01; // smaller numbers are written with powers of ten, which Bokeh does in English only
const MILLISECONDS = (times) => times.map((time) => instant(time));

/** Replace what is missing by what Bokeh leaves out. */
function numbers(values) {
  return values.map((value) => (value === null ? NaN : value));
}

/** Return the bands of a fan, the widest first: quantiles where they are, else mean and spread. */
export function bands(series) {
  const found = [
    ["p05", "p95"],
    ["p25", "p75"],
  ].filter(([low, high]) => series[low] && series[high]);
  if (found.length > 0) {
    return found.map(([low, high]) => ({
      name: "series.between",
      names: { low: Number(low.slice(1)), high: Number(high.slice(1)) },
      low: numbers(series[low]),
      high: numbers(series[high]),
    }));
  }
  if (!series.std) return [];
  const mean = numbers(series.mean);
  const spread = numbers(series.std);
  return [
    {
      name: "series.spread",
      names: {},
      low: mean.map((value, place) => value - spread[place]),
      high: mean.map((value, place) => value + spread[place]),
    },
  ];
}

export class SeriesChart {
  #marker = null;

  /** @param {HTMLElement} container */
  constructor(container) {
    this.container = container;
  }

  /**
   * Draw a series.
   * @param {{series: Object, label: string, unit: string, moment: ?string, language: Object, runTitle: string}} what `unit`
   *   stands beside the axis where `label` has no room
   */
  async show({ series, label, unit, moment, language, runTitle }) {
    const Bokeh = await library();
    const { clientHeight: height, clientWidth: width } = this.container;
    const plot = chart({ x_axis_type: "datetime", y_axis_label: label.length * LETTER < height - RIM ? label : unit });
    plot.xaxis.each((axis) => (axis.ticker.desired_num_ticks = Math.max(2, Math.min(6, Math.floor(width / ROOM)))));
    const time = MILLISECONDS(series.time);
    const entries = [];
    const fan = bands(series);
    fan.forEach(({ low, high, name, names }, place) => {
      const source = new Bokeh.ColumnDataSource({ data: { x: time, low, high } });
      const area = plot.varea({
        x: { field: "x" },
        y1: { field: "low" },
        y2: { field: "high" },
        source,
        fill_color: COLOURS.run,
        fill_alpha: place === fan.length - 1 && fan.length > 1 ? 0.3 : 0.18,
      });
      entries.push([language.text(name, names), [area]]);
    });
    if (series.members)
      entries.push([
        language.text("series.members", { count: series.members.length }),
        [this.#members(plot, series, time)],
      ]);
    const line = (values, look, times = time) =>
      plot.line({
        x: { field: "x" },
        y: { field: "y" },
        source: new Bokeh.ColumnDataSource({ data: { x: times, y: numbers(values) } }),
        ...look,
      });
    if (series.truth?.mean) {
      const look = { line_color: COLOURS.truth, line_width: 1.2 };
      entries.push([
        language.text("series.truth"),
        [line(series.truth.mean, look, series.truth.time ? MILLISECONDS(series.truth.time) : time)],
      ]);
    }
    if (series.open_loop?.mean) {
      const look = { line_color: COLOURS.openLoop, line_width: 1.6, line_dash: "dashed" };
      const times = series.open_loop.time ? MILLISECONDS(series.open_loop.time) : time;
      entries.push([language.text("series.open_loop"), [line(series.open_loop.mean, look, times)]]);
    }
    const mean = line(series.mean, { line_color: COLOURS.run, line_width: 2 });
    if (time.length === 1) this.#single(plot, time[0], numbers(series.mean)); // a line needs two
    entries.unshift([`${runTitle}, ${language.statisticName("mean")}`, [mean]]);
    for (const entry of this.#observations(plot, series, language)) entries.push(entry);
    this.#marker = new Bokeh.Span({
      location: instant(moment ?? ""),
      dimension: "height",
      line_color: "#d81b60",
      line_width: 1.5,
    });
    this.#marker.visible = Boolean(moment);
    plot.add_layout(this.#marker);
    legendAbove(plot, entries);
    this.#words(plot, language, series);
    const wheel = new Bokeh.WheelZoomTool({ dimensions: "width" });
    plot.add_tools(new Bokeh.PanTool({ dimensions: "width" }), wheel, this.#hover(mean, label, language));
    plot.toolbar.active_scroll = wheel;
    await showFigure(plot, this.container);
  }

  /** Draw the only record as a dot in the middle of a day. */
  #single(plot, time, values) {
    const source = new window.Bokeh.ColumnDataSource({ data: { x: [time], y: values } });
    plot.scatter({ x: { field: "x" }, y: { field: "y" }, source, size: 8, line_color: null, fill_color: COLOURS.run });
    plot.x_range = new window.Bokeh.Range1d({ start: time - HALF_DAY, end: time + HALF_DAY });
  }

  /** Draw each member as a thin line, where the run kept them. */
  #members(plot, { members }, time) {
    const mine = members.filter((one) => one.length === time.length);
    const data = { xs: mine.map(() => time), ys: mine.map(numbers) };
    const source = new window.Bokeh.ColumnDataSource({ data });
    const look = { line_color: COLOURS.run, line_alpha: 0.25, line_width: 0.7 };
    return plot.multi_line({ xs: { field: "xs" }, ys: { field: "ys" }, source, ...look });
  }

  #hover(mean, label, language) {
    const format = language.text("series.hover_date");
    return new window.Bokeh.HoverTool({
      renderers: [mean],
      mode: "vline",
      tooltips: [
        [language.text("series.time"), `@x{${format}}`],
        [label, "@y{0.[0000]}"],
      ],
      formatters: { "@x": "datetime" },
    });
  }

  /** Dates along the axis in figures only, in the order of the language. */
  #words(plot, language, series) {
    const [day, month] = [language.text("series.axis_day"), language.text("series.axis_month")];
    const formatter = new window.Bokeh.DatetimeTickFormatter({
      hours: `${day} %H:%M`,
      hourmin: "%H:%M",
      minutes: "%H:%M",
      days: day,
      months: month,
      years: "%Y",
    });
    const [axis] = plot.xaxis;
    axis.setv({ formatter, axis_label: "UTC" });
    const largest = series.mean.reduce((most, value) => Math.max(most, Math.abs(value ?? 0)), 0);
    if (language.name === "de" && largest >= LEAST_PLAIN) {
      const [value] = plot.yaxis;
      value.formatter = new window.Bokeh.NumeralTickFormatter({ format: "0.[00000]", language: "de" });
    }
  }

  /** Draw observations: dots with whiskers that were used, crosses for those that were not. */
  #observations(plot, series, language) {
    const { Bokeh } = window;
    const entries = [];
    for (const stream of series.observations ?? []) {
      const groups = [
        ["used", { marker: "circle", size: 5, fill_color: COLOURS.used, line_color: "#ffffff", line_width: 0.5 }],
        ["rejected", { marker: "x", size: 8, line_color: COLOURS.rejected, line_width: 2 }],
      ];
      for (const [status, look] of groups) {
        const mine = stream.time
          .map((_one, place) => place)
          .filter((place) => {
            return (
              (stream.status?.[place] === "used" || !stream.status) === (status === "used") &&
              stream.value[place] !== null
            );
          });
        if (mine.length === 0) continue;
        const x = mine.map((place) => instant(stream.time[place]));
        const y = mine.map((place) => stream.value[place]);
        const error = mine.map((place) => stream.error?.[place] ?? 0);
        const source = new Bokeh.ColumnDataSource({
          data: {
            x,
            y,
            low: y.map((value, place) => value - error[place]),
            high: y.map((value, place) => value + error[place]),
          },
        });
        const whisker = plot.segment({
          x0: { field: "x" },
          x1: { field: "x" },
          y0: { field: "low" },
          y1: { field: "high" },
          source,
          line_alpha: 0.35,
          line_color: status === "used" ? COLOURS.used : COLOURS.rejected,
        });
        const dots = plot.scatter({ x: { field: "x" }, y: { field: "y" }, source, ...look });
        entries.push([`${stream.name} (${language.text(`series.${status}`)})`, [dots, whisker]]);
      }
    }
    return entries;
  }

  /** Move the marker of the time of the map. */
  setMoment(moment) {
    if (!this.#marker) return;
    this.#marker.setv({ location: instant(moment ?? ""), visible: Boolean(moment) });
  }

  clear() {
    takeAway(this.container);
    this.#marker = null;
  }
}
