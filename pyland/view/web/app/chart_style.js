/**
 * One look of all charts of the page.
 */
export const INK = "#1d2733";
export const COLOURS = Object.freeze({
  run: "#0072b2",
  openLoop: "#d55e00",
  truth: "#000000",
  used: "#333333",
  rejected: "#cc79a7",
});

/**
 * Make an empty figure.
 * @param {Object} attributes of the Bokeh figure
 */
export function chart(attributes) {
  const plot = window.Bokeh.Plotting.figure({
    sizing_mode: "stretch_both",
    toolbar_location: null,
    tools: [],
    outline_line_color: null,
    min_border: 4,
    ...attributes,
  });
  for (const axis of [...plot.xaxis, ...plot.yaxis]) {
    axis.setv({
      axis_label_text_font_style: "normal",
      axis_label_text_font_size: "12px",
      major_label_text_font_size: "11px",
      axis_label_text_color: INK,
      major_label_text_color: INK,
      axis_line_color: "#8b95a1",
      major_tick_line_color: "#8b95a1",
      minor_tick_line_color: null,
      axis_label_text_font: "system-ui, sans-serif",
      major_label_text_font: "system-ui, sans-serif",
    });
  }
  for (const lines of [...plot.xgrid, ...plot.ygrid]) lines.grid_line_color = "#e3e7ec";
  return plot;
}

/** Add a legend above a figure; entries are [label, renderers]. */
export function legendAbove(plot, entries) {
  const { Bokeh } = window;
  const items = entries.map(([label, renderers]) => new Bokeh.LegendItem({ label: { value: label }, renderers }));
  const look = {
    items,
    orientation: "horizontal",
    ncols: 3,
    border_line_color: null,
    background_fill_alpha: 0,
    padding: 2,
    margin: 0,
    spacing: 6,
    location: "left",
    glyph_height: 14,
    label_height: 14,
    label_text_font_size: "11px",
    label_text_color: INK,
    label_text_font: "system-ui, sans-serif",
    glyph_width: 18,
    click_policy: "hide",
  };
  plot.add_layout(new Bokeh.Legend(look), "above");
}
