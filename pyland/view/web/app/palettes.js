/**
 * Colours of maps. All scales can be told apart by colour-blind readers: those of matplotlib (viridis, cividis), of
 * ColorBrewer (marked as safe) and of Paul Tol, as Bokeh holds them.
 */
const COLOURS = 256;

/** Scales by name: where Bokeh has it, its kind, whether it is drawn from its end to its beginning. */
export const PALETTES = Object.freeze({
  viridis: { kind: "sequential", of: "Viridis256" },
  cividis: { kind: "sequential", of: "Cividis256" },
  inferno: { kind: "sequential", of: "Inferno256" },
  YlGnBu: { kind: "sequential", of: "YlGnBu9", isBackward: true },
  BrBG: { kind: "diverging", of: "BrBG11", isBackward: true },
  RdBu: { kind: "diverging", of: "RdBu11", isBackward: true },
  PuOr: { kind: "diverging", of: "PuOr11" },
});

/** Classes of the US Drought Monitor (Svoboda et al. 2002), white: no drought. */
export const DROUGHT_COLOURS = Object.freeze({
  D0: "#ffff00",
  D1: "#fcd37f",
  D2: "#ffaa00",
  D3: "#e60000",
  D4: "#730000",
});

/** Colours of classes that bring none: Okabe and Ito (2008), then Paul Tol's muted ones. */
const CLASS_COLOURS = [
  "#0072b2",
  "#e69f00",
  "#009e73",
  "#cc79a7",
  "#56b4e9",
  "#d55e00",
  "#f0e442",
  "#000000",
  "#332288",
  "#88ccee",
  "#44aa99",
  "#117733",
  "#999933",
  "#ddcc77",
  "#cc6677",
  "#882255",
  "#aa4499",
];

/** Write a number 0xrrggbbaa, red in the lowest byte or not, as '#rrggbb'. */
function written(colour) {
  if (typeof colour === "string") return colour;
  return `#${(colour >>> 8).toString(16).padStart(6, "0")}`;
}

/** Return colours between given ones, evenly. */
function between(colours, count) {
  const channels = colours.map((colour) => [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16)));
  return Array.from({ length: count }, (_one, place) => {
    const where = (place / (count - 1)) * (channels.length - 1);
    const low = Math.min(Math.floor(where), channels.length - 2);
    const mixed = channels[low].map((value, channel) => value + (where - low) * (channels[low + 1][channel] - value));
    return `#${mixed.map((value) => Math.round(value).toString(16).padStart(2, "0")).join("")}`;
  });
}

/** Return the scale that a variable and a statistic get if nobody chose one. */
export function usualPalette(variable, statistic) {
  const kind =
    variable.palettes?.[statistic] ??
    { anomaly: "diverging", increment: "diverging", percentile: "diverging" }[statistic];
  if (kind === "diverging") return "BrBG";
  if (statistic === "std" || statistic === "percentile") return "cividis";
  return variable.palette === "diverging" ? "BrBG" : "viridis";
}

/**
 * Return the colours of a scale.
 * @param {string} name
 * @param {boolean} isReversed
 * @returns {string[]} from low to high
 */
export function colours(name, isReversed) {
  const { of, isBackward } = PALETTES[name] ?? PALETTES.viridis;
  const given = Array.from(window.Bokeh.Palettes[of], written);
  if (isBackward) given.reverse();
  if (isReversed) given.reverse();
  return between(given, COLOURS);
}

/** Return the colours of classes, by what they say themselves, by D0 to D4, or by their number. */
export function classColours(classes) {
  return classes.map((one, place) => {
    const name = one.id ?? one.label?.en ?? String(one.label ?? "");
    return (
      one.color ??
      DROUGHT_COLOURS[/^D[0-4]/.exec(name)?.[0]] ??
      (/^(none|no drought|normal)/i.test(name) ? "#f2f2f2" : CLASS_COLOURS[place % CLASS_COLOURS.length])
    );
  });
}
