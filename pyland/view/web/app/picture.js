/**
 * Values of cells as images for the map: rows from south to north, and cut at a divider in the middle of a cell.
 */

/**
 * Return values as the rows and columns of an image.
 * @param {import("./grid.js").Grid} grid
 * @param {Float32Array} values in the order of the file
 * @returns {{values: Float32Array, width: number, height: number, left: number, bottom: number, right: number, top: number}}
 */
export function picture(grid, values) {
  if (grid.picture) return grid.picture(values);
  const { ny: height, nx: width } = grid;
  let rows = values;
  if (grid.isNorthFirst) {
    rows = new Float32Array(values.length);
    for (let row = 0; row < height; row += 1) {
      rows.set(values.subarray(row * width, (row + 1) * width), (height - 1 - row) * width);
    }
  }
  return { values: rows, width, height, ...grid.bounds };
}

/** Return some columns of an image. */
function columnsOf({ values, width, height }, first, last) {
  if (first === 0 && last === width) return values;
  const count = last - first;
  const cut = new Float32Array(count * height);
  for (let row = 0; row < height; row += 1) {
    cut.set(values.subarray(row * width + first, row * width + last), row * count);
  }
  return cut;
}

/**
 * Return the images that show a picture between two places: its whole columns, and what is seen of those at the ends.
 * @param {Object} whole see picture
 * @param {number} from left end in the plane
 * @param {number} to right end in the plane
 * @returns {{values: Float32Array, width: number, height: number, x: number, y: number, dw: number, dh: number}[]}
 */
export function pieces(whole, from, to) {
  const step = (whole.right - whole.left) / whole.width;
  const begin = Math.max(0, (from - whole.left) / step);
  const end = Math.min(whole.width, (to - whole.left) / step);
  if (!(end > begin)) return [];
  const cuts = [begin];
  if (Math.ceil(begin) > begin && Math.ceil(begin) < end) cuts.push(Math.ceil(begin));
  if (Math.floor(end) < end && Math.floor(end) > cuts.at(-1)) cuts.push(Math.floor(end));
  cuts.push(end);
  return cuts.slice(1).map((stop, place) => {
    const start = cuts[place];
    const [first, last] = [Math.floor(start), Math.ceil(stop)];
    return {
      values: columnsOf(whole, first, last),
      width: last - first,
      height: whole.height,
      x: whole.left + start * step,
      y: whole.bottom,
      dw: (stop - start) * step,
      dh: whole.top - whole.bottom,
    };
  });
}
