/**
 * BokehJS, which draws maps and charts. It is read after the modules of the page, so whoever draws waits for it.
 */
const ready = new Promise((done) => {
  if (window.Bokeh?.Plotting) done();
  else document.addEventListener("DOMContentLoaded", done); // deferred scripts have run by then
});

/**
 * Wait for the library.
 * @returns {Promise<Object>} Bokeh
 */
export async function library() {
  await ready;
  if (!window.Bokeh?.Plotting) throw new Error("bokeh/bokeh.min.js, bokeh/bokeh-api.min.js");
  return window.Bokeh;
}

const views = new WeakMap();

/** Take a figure out of a container and let go of all it held. */
export function takeAway(container) {
  const view = views.get(container);
  views.delete(container);
  container.replaceChildren();
  if (!view) return;
  const { documents } = window.Bokeh;
  const place = documents.indexOf(view.model.document);
  view.remove();
  if (place >= 0) documents.splice(place, 1);
}

/**
 * Show a figure in the place of what a container held.
 * @param {Object} plot a Bokeh figure
 * @param {HTMLElement} container
 * @returns {Promise<Object>} its view
 */
export async function showFigure(plot, container) {
  takeAway(container);
  const view = await window.Bokeh.Plotting.show(plot, container);
  views.set(container, view);
  return view;
}
