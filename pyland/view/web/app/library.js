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
