/**
 * Series of a cell from the tiles of a static site: float32 of (statistic, time, row, column) for a rectangle of cells.
 */

/**
 * Cut the series of one cell out of its tile.
 * @param {{source: import("./data_source.js").DataSource, index: Object, folder: string, cell: string, variable: string,
 *   row: number, column: number, signal: ?AbortSignal}} wish `cell` is the path of the observations of the cell
 * @returns {Promise<Object>} the same as the series of a server
 */
export async function cellSeries({ source, index, folder, cell, variable, row, column, signal }) {
  const described = index.variables.find((one) => one.id === variable);
  const [tileHeight, tileWidth] = index.series.tile;
  const statistics = index.series.statistics.filter((one) => described.statistics.includes(one));
  const times = described.times ?? index.times;
  const [tileRow, tileColumn] = [Math.floor(row / tileHeight), Math.floor(column / tileWidth)];
  const height = Math.min(tileHeight, index.grid.ny - tileRow * tileHeight);
  const width = Math.min(tileWidth, index.grid.nx - tileColumn * tileWidth);
  const values = await source.values(`${folder}/tile_${tileRow}_${tileColumn}.bin`, signal);
  const start = (row % tileHeight) * width + (column % tileWidth);
  const series = { time: times, units: described.units, open_loop: null };
  statistics.forEach((statistic, place) => {
    const first = place * times.length * height * width + start;
    series[statistic] = times.map((_time, moment) => {
      const value = values[first + moment * height * width];
      return Number.isFinite(value) ? value : null;
    });
  });
  const observations = (await source.optionalJson(cell, signal))?.observations ?? [];
  series.observations = observations.filter((one) => !one.variable || one.variable === variable);
  return series;
}
