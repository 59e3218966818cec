/**
 * Water balance of a polygon from monthly terms of cells, for a static site where no server adds them up.
 */

/**
 * Tell whether a place lies within a ring, by the crossings of a line to the east.
 * @param {number} longitude [degrees]
 * @param {number} latitude [degrees]
 * @param {number[][]} ring [longitude, latitude] of the corners, not closed
 */
export function isWithin(longitude, latitude, ring) {
  let inside = false;
  for (let here = 0, before = ring.length - 1; here < ring.length; before = here, here += 1) {
    const [x, y] = ring[here];
    const [previousX, previousY] = ring[before];
    const crosses = y > latitude !== previousY > latitude;
    if (crosses && longitude < ((previousX - x) * (latitude - y)) / (previousY - y) + x) inside = !inside;
  }
  return inside;
}

/**
 * Sum terms over the months of a period and average them over cells, weighted by their areas.
 * @param {{source: Object, index: Object, run: string, grid: import("./grid.js").Grid, polygon: number[][],
 *   from: ?string, to: ?string}} wish months count whole: those from that of `from` to that of `to`
 * @returns {Promise<Object>} columns, rows, cells, area [m2], period; the same as the answer of a server
 */
export async function sumFields({ source, index, run, grid, polygon, from, to }) {
  const fields = index.balance_fields;
  const area = await source.values(fields.area);
  const cells = [];
  for (let cell = 0; cell < area.length; cell += 1) {
    const [latitude, longitude] = grid.centre(Math.floor(cell / index.grid.nx), cell % index.grid.nx);
    if (area[cell] > 0 && isWithin(longitude, latitude, polygon)) cells.push(cell);
  }
  const months = fields.months
    .map((name, place) => ({ name, place }))
    .filter(({ name }) => {
      return (!from || name >= from.slice(0, 7)) && (!to || name <= to.slice(0, 7));
    });
  const empty = { columns: [], rows: [], cells: 0, area: 0, period: [] };
  if (cells.length === 0 || months.length === 0) return empty;
  const folder = `data/${encodeURIComponent(run)}/balance`;
  const means = await Promise.all(
    fields.terms.map(async ({ id }) => {
      const parts = await Promise.all(months.map(({ place }) => source.values(`${folder}/${id}/${place}.bin`)));
      let sum = 0;
      let weight = 0;
      for (const cell of cells) {
        const value = parts.reduce((total, values) => total + values[cell], 0);
        if (!Number.isFinite(value)) continue;
        sum += value * area[cell];
        weight += area[cell];
      }
      return weight > 0 ? { mean: sum / weight, weight } : { mean: null, weight: 0 };
    }),
  );
  if (means[0].weight === 0) return empty;
  return {
    columns: [{ id: "zone", label: "", units: "" }, ...fields.terms],
    rows: [["polygon", ...means.map(({ mean }) => mean)]],
    cells: cells.length,
    area: means[0].weight,
    period: [months[0].name, months.at(-1).name],
  };
}
