/**
 * The edge of what is modelled: between cells with a value and those without, and around the grid.
 */
import { chainedLines } from "./line_chaining.js";

/**
 * @param {import("./grid.js").Grid} grid
 * @param {Float32Array} values of the cells, NaN where nothing is modelled
 * @returns {{xs: number[][], ys: number[][]}} lines in the plane of the grid
 */
export function outline(grid, values) {
  const { ny, nx } = grid;
  const isThere = (upward, column) => {
    if (upward < 0 || upward >= ny || column < 0 || column >= nx) return false;
    const row = grid.isNorthFirst ? ny - 1 - upward : upward;
    return !Number.isNaN(values[row * nx + column]);
  };
  const segments = [];
  for (let upward = 0; upward <= ny; upward += 1) {
    for (let column = 0; column <= nx; column += 1) {
      const here = isThere(upward, column);
      if (here !== isThere(upward - 1, column)) segments.push([column, upward, column + 1, upward]);
      if (here !== isThere(upward, column - 1)) segments.push([column, upward, column, upward + 1]);
    }
  }
  if (!grid.placeOf) return chainedLines(segments);
  return chainedLines(segments.map(([x0, y0, x1, y1]) => [...grid.placeOf(x0, y0), ...grid.placeOf(x1, y1)]));
}
