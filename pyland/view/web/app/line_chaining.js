/**
 * Join segments that share ends into long lines, which are drawn much faster.
 */

/**
 * @param {number[][]} segments [x0, y0, x1, y1] each; ends that belong together have the same numbers
 * @returns {{xs: number[][], ys: number[][]}} coordinates of the lines
 */
export function chainedLines(segments) {
  const ends = new Map();
  const keyOf = (x, y) => `${x.toFixed(6)},${y.toFixed(6)}`;
  segments.forEach(([x0, y0, x1, y1], place) => {
    for (const key of [keyOf(x0, y0), keyOf(x1, y1)]) {
      if (!ends.has(key)) ends.set(key, []);
      ends.get(key).push(place);
    }
  });
  const isUsed = new Uint8Array(segments.length);
  const follow = (line, x, y) => {
    for (;;) {
      const next = ends.get(keyOf(x, y)).find((place) => !isUsed[place]);
      if (next === undefined) return line;
      isUsed[next] = 1;
      const [x0, y0, x1, y1] = segments[next];
      [x, y] = keyOf(x0, y0) === keyOf(x, y) ? [x1, y1] : [x0, y0];
      line.push([x, y]);
    }
  };
  const lines = { xs: [], ys: [] };
  segments.forEach(([x0, y0, x1, y1], place) => {
    if (isUsed[place]) return;
    isUsed[place] = 1;
    const forward = follow([[x1, y1]], x1, y1);
    const backward = follow([[x0, y0]], x0, y0);
    const line = [...backward.reverse(), ...forward];
    lines.xs.push(line.map(([x]) => x));
    lines.ys.push(line.map(([, y]) => y));
  });
  return lines;
}
