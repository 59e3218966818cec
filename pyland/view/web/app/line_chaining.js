/**
 * Join segments that share ends into long lines, which are drawn much faster.
 */

/**
 * @param {number[][]} segments [x0, y0, x1, y1] each; ends that belong together have the same numbers
 * @returns {{xs: number[][], ys: number[][]}} coordinates of the lines
 */
export function chainedLines(segments) {
  const ends = new Map();
  const numbers = new Map(); // each place has a number: two of them are compared faster than four coordinates
  const numberOf = (x, y) => {
    const key = `${x},${y}`;
    if (!numbers.has(key)) numbers.set(key, numbers.size);
    return numbers.get(key);
  };
  const keys = segments.map(([x0, y0, x1, y1]) => [numberOf(x0, y0), numberOf(x1, y1)]);
  keys.forEach((pair, place) => {
    for (const key of pair) {
      if (ends.has(key)) ends.get(key).push(place);
      else ends.set(key, [place]);
    }
  });
  const isUsed = new Uint8Array(segments.length);
  const follow = (line, start) => {
    let key = start;
    for (let step = 0; step < segments.length; step += 1) {
      const next = ends.get(key).find((place) => !isUsed[place]);
      if (next === undefined) break;
      isUsed[next] = 1;
      const [x0, y0, x1, y1] = segments[next];
      const isForward = keys[next][0] === key;
      key = keys[next][isForward ? 1 : 0];
      line.push(isForward ? [x1, y1] : [x0, y0]);
    }
    return line;
  };
  const lines = { xs: [], ys: [] };
  segments.forEach(([x0, y0, x1, y1], place) => {
    if (isUsed[place]) return;
    isUsed[place] = 1;
    const forward = follow([[x1, y1]], keys[place][1]);
    const backward = follow([[x0, y0]], keys[place][0]);
    const line = [...backward.reverse(), ...forward];
    lines.xs.push(line.map(([x]) => x));
    lines.ys.push(line.map(([, y]) => y));
  });
  return lines;
}
