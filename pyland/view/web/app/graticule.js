/**
 * Lines of equal latitude and longitude with their degrees, in the plane of any grid.
 */
import { chainedLines } from "./line_chaining.js";

const LATTICE = 36; // points of a side from which lines are drawn
const WANTED = 5; // about so many lines across the map
const MARGIN = 0.5; // lines end this part of the grid beyond it: places there are extrapolated
const CORNER = 0.04; // no label within this part of the map from its corners
const SIDES = [
  [0, 1],
  [1, 2],
  [3, 2],
  [0, 3],
]; // of a square, in one direction for both of its neighbours
const DISTANCES = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 45]; // [degrees]

/** Return the distance of lines [degrees] for an extent [degrees]. */
function lineDistance(extent) {
  return DISTANCES.find((one) => extent / one <= WANTED + 1) ?? 45;
}

/** Return the segments of a level between points of a lattice, side by side through its squares. */
function levelSegments(values, xs, ys, level) {
  const segments = [];
  const width = xs.length;
  for (let row = 0; row + 1 < ys.length; row += 1) {
    for (let column = 0; column + 1 < width; column += 1) {
      const corners = [
        [row, column],
        [row, column + 1],
        [row + 1, column + 1],
        [row + 1, column],
      ];
      const heights = corners.map(([j, i]) => values[j * width + i] - level);
      if (heights.some((height) => Math.abs(height) > 90)) continue; // the other side of the date line
      const crossings = [];
      for (const [from, to] of SIDES) {
        if (heights[from] < 0 === heights[to] < 0) continue;
        const share = heights[from] / (heights[from] - heights[to]);
        const [[j, i], [nextJ, nextI]] = [corners[from], corners[to]];
        crossings.push([xs[i] + share * (xs[nextI] - xs[i]), ys[j] + share * (ys[nextJ] - ys[j])]);
      }
      for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
        segments.push([...crossings[pair], ...crossings[pair + 1]]);
      }
    }
  }
  return segments;
}

/** Return the end of a line on the left side of the map, of a meridian on its lower side; null if none lies there. */
function labelledEnd(lines, isParallel, box) {
  const near = [(box.right - box.left) * CORNER, (box.top - box.bottom) * CORNER];
  for (let place = 0; place < lines.xs.length; place += 1) {
    const [xs, ys] = [lines.xs[place], lines.ys[place]];
    for (const end of [0, xs.length - 1]) {
      const [fromLeft, fromBottom] = [xs[end] - box.left, ys[end] - box.bottom];
      const isThere = isParallel
        ? fromLeft < 1e-6 * near[0] && fromBottom > near[1] && box.top - ys[end] > near[1]
        : fromBottom < 1e-6 * near[1] && fromLeft > 2 * near[0] && box.right - xs[end] > near[0];
      if (isThere) return { x: xs[end], y: ys[end] };
    }
  }
  return null;
}

/**
 * Return the lines within a part of the plane.
 * @param {import("./grid.js").Grid} grid
 * @param {{left: number, right: number, bottom: number, top: number}} part of the plane that is seen
 * @param {function(number, boolean): string} write the label of a latitude (true) or longitude (false) [degrees]
 * @returns {{xs: number[][], ys: number[][], labels: {x: number, y: number, text: string, isParallel: boolean}[]}}
 */
export function graticule(grid, part, write) {
  const { left, right, bottom, top } = grid.bounds;
  const [spareX, spareY] = [MARGIN * (right - left), MARGIN * (top - bottom)];
  const box = {
    left: Math.max(part.left, left - spareX),
    right: Math.min(part.right, right + spareX),
    bottom: Math.max(part.bottom, bottom - spareY),
    top: Math.min(part.top, top + spareY),
  };
  const drawn = { xs: [], ys: [], labels: [] };
  if (!(box.right > box.left && box.top > box.bottom)) return drawn;
  const points = (low, high) =>
    Array.from({ length: LATTICE }, (_one, place) => low + ((high - low) * place) / (LATTICE - 1));
  const [xs, ys] = [points(box.left, box.right), points(box.bottom, box.top)];
  const latitudes = [];
  const longitudes = [];
  for (const y of ys) {
    for (const x of xs) {
      const [latitude, longitude] = grid.toGeographic(x, y);
      latitudes.push(latitude);
      longitudes.push(longitude);
    }
  }
  for (const [values, isParallel] of [
    [latitudes, true],
    [longitudes, false],
  ]) {
    const low = values.reduce((least, value) => Math.min(least, value), Infinity);
    const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
    const between = lineDistance(Math.min(high - low, 360));
    for (let count = Math.ceil(low / between); count * between <= high; count += 1) {
      const level = Number((count * between).toFixed(6));
      if (isParallel && Math.abs(level) > 90) continue;
      // a level that meets points of the lattice exactly would leave lines open
      const lines = chainedLines(levelSegments(values, xs, ys, level + 1e-9 * between));
      drawn.xs.push(...lines.xs);
      drawn.ys.push(...lines.ys);
      const end = labelledEnd(lines, isParallel, box);
      if (end) drawn.labels.push({ x: end.x, y: end.y, text: write(level, isParallel), isParallel });
    }
  }
  return drawn;
}
