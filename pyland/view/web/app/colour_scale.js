/**
 * What colour a value has: the scale, its range and whether both sides of zero are alike.
 */
import { classColours, colours, PALETTES, usualPalette } from "./palettes.js";

/** Return the 2nd and 98th percentile of values, from every so many of them. */
export function middleRange(values, share = 0.02) {
  const stride = Math.max(1, Math.floor(values.length / 20000));
  const some = [];
  for (let place = 0; place < values.length; place += stride) {
    if (Number.isFinite(values[place])) some.push(values[place]);
  }
  if (some.length === 0) return null;
  some.sort((one, other) => one - other);
  const last = some.length - 1;
  return [some[Math.floor(share * last)], some[Math.ceil((1 - share) * last)]];
}

/** Widen a range without extent, so that its one value has a colour of the middle. */
function widened([low, high]) {
  if (high > low) return [low, high];
  const half = Math.abs(low) > 0 ? Math.abs(low) * 0.01 : 1;
  return [low - half, high + half];
}

/**
 * Return the scale of a map.
 * @param {{variable: Object, statistic: string, palette: string, reversed: boolean, limits: null|"data"|number[],
 *   range: ?number[], fields: Float32Array[]}} wish `range` is what the run says, `fields` are the maps that are shown
 * @returns {{kind: "range"|"classes", low: number, high: number, colours: string[], classes: ?Object[]}}
 */
export function colourScale({ variable, statistic, palette, reversed, limits, range, fields }) {
  if (variable.palette === "class" && variable.classes && ["mean", "field"].includes(statistic)) {
    const classes = [...variable.classes].sort((one, other) => one.value - other.value);
    return { kind: "classes", low: 0, high: classes.length, colours: classColours(classes), classes };
  }
  const name = palette in PALETTES ? palette : usualPalette(variable, statistic);
  let ends = Array.isArray(limits) ? limits : null;
  if (ends === null && statistic === "percentile" && limits !== "data") ends = [0, 100];
  if (ends === null) {
    const shown = () => {
      const ranges = fields.map((field) => middleRange(field)).filter((one) => one !== null);
      if (ranges.length === 0) return [0, 1];
      return [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))];
    };
    ends = limits === "data" || !range || range.some((end) => !Number.isFinite(end)) ? shown() : range;
    const isBothSided = PALETTES[name].kind === "diverging" && ends[0] < 0 && ends[1] > 0;
    if (isBothSided || ["anomaly", "increment"].includes(statistic)) {
      const size = Math.max(Math.abs(ends[0]), Math.abs(ends[1]));
      ends = [-size, size];
    }
  }
  const [low, high] = widened(ends);
  return { kind: "range", low, high, colours: colours(name, reversed), classes: null };
}

/** Return places of classes for their values: the first class is 0.5, the second 1.5. */
export function classPlaces(values, classes) {
  const places = new Map(classes.map((one, place) => [one.value, place + 0.5]));
  return Float32Array.from(values, (value) => places.get(value) ?? NaN);
}
