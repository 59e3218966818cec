/**
 * One map as a netCDF file of the classic format (NetCDF Users Guide, appendix B: version 1), for a site without a server.
 */
const [DIMENSION, VARIABLE, ATTRIBUTE] = [10, 11, 12];
const [CHARACTER, FLOAT, DOUBLE] = [2, 5, 6];
const SIZES = { [CHARACTER]: 1, [FLOAT]: 4, [DOUBLE]: 8 };

/** Bytes in big-endian order that grow. */
class Bytes {
  parts = [];
  length = 0;

  add(bytes) {
    this.parts.push(bytes);
    this.length += bytes.byteLength;
  }

  integer(...values) {
    for (const value of values) {
      const bytes = new DataView(new ArrayBuffer(4));
      bytes.setInt32(0, value);
      this.add(bytes);
    }
  }

  /** Add characters and zeros up to a multiple of four. */
  padded(bytes) {
    this.add(bytes);
    this.add(new Uint8Array((4 - (bytes.byteLength % 4)) % 4));
  }

  text(words) {
    const bytes = new TextEncoder().encode(words);
    this.integer(bytes.byteLength);
    this.padded(bytes);
  }
}

/** Return numbers in big-endian order. */
function encoded(values, type) {
  const bytes = new DataView(new ArrayBuffer(values.length * SIZES[type]));
  for (let place = 0; place < values.length; place += 1) {
    if (type === FLOAT) bytes.setFloat32(place * 4, values[place]);
    else bytes.setFloat64(place * 8, values[place]);
  }
  return bytes;
}

function addAttributes(bytes, attributes) {
  const entries = Object.entries(attributes);
  bytes.integer(entries.length ? ATTRIBUTE : 0, entries.length);
  for (const [name, value] of entries) {
    bytes.text(name);
    if (typeof value === "number") {
      bytes.integer(FLOAT, 1);
      bytes.add(encoded([value], FLOAT));
    } else {
      bytes.integer(CHARACTER);
      bytes.text(value);
    }
  }
}

/**
 * Write variables on dimensions.
 * @param {[string, number][]} dimensions names and lengths
 * @param {Object} attributes of the file
 * @param {{name: string, dimensions: number[], attributes: Object, values: ArrayLike<number>, isDouble: boolean}[]} variables
 * @returns {Blob}
 */
export function netcdf(dimensions, attributes, variables) {
  const types = variables.map(({ isDouble }) => (isDouble ? DOUBLE : FLOAT));
  const sizes = variables.map(({ values }, place) => values.length * SIZES[types[place]]);
  const header = (starts) => {
    const bytes = new Bytes();
    bytes.add(new Uint8Array([67, 68, 70, 1])); // "CDF" and the version
    bytes.integer(0, DIMENSION, dimensions.length);
    for (const [name, length] of dimensions) {
      bytes.text(name);
      bytes.integer(length);
    }
    addAttributes(bytes, attributes);
    bytes.integer(VARIABLE, variables.length);
    variables.forEach((variable, place) => {
      bytes.text(variable.name);
      bytes.integer(variable.dimensions.length, ...variable.dimensions);
      addAttributes(bytes, variable.attributes);
      bytes.integer(types[place], sizes[place], starts[place]);
    });
    return bytes;
  };
  let start = header(sizes).length; // starts have the same length whatever they are
  const starts = sizes.map((size) => {
    start += size;
    return start - size;
  });
  const data = variables.map(({ values }, place) => encoded(values, types[place]));
  return new Blob([...header(starts).parts, ...data], { type: "application/x-netcdf" });
}

/**
 * Write what one side of the map shows.
 * @param {Object} side see map_presenter.js
 * @returns {Blob}
 */
export function mapFile({ run, variable, statistic, layer, values, end, start, place }) {
  const { grid } = run;
  const latitude = new Float64Array(grid.ny * grid.nx);
  const longitude = new Float64Array(grid.ny * grid.nx);
  for (let cell = 0; cell < latitude.length; cell += 1) {
    [latitude[cell], longitude[cell]] = grid.centre(Math.floor(cell / grid.nx), cell % grid.nx);
  }
  const name =
    statistic === "mean" || statistic === "field" ? (variable.name ?? variable.id) : `${variable.id}_${statistic}`;
  const depth = variable.layers?.[layer];
  const described = {
    long_name: variable.long_name?.en ?? variable.id,
    units: statistic === "percentile" ? "%" : variable.units,
    coordinates: "latitude longitude",
    _FillValue: NaN,
  };
  if (depth && depth.top !== null && depth.top !== undefined)
    described.depth_range = `${depth.top} to ${depth.bottom} m`;
  const time = place >= 0 ? { interval_start: start ?? "", interval_end: end ?? "" } : {};
  return netcdf(
    [
      ["y", grid.ny],
      ["x", grid.nx],
    ],
    { Conventions: "CF-1.11", title: run.title, statistic, ...time },
    [
      {
        name: "latitude",
        dimensions: [0, 1],
        attributes: { standard_name: "latitude", units: "degrees_north" },
        values: latitude,
        isDouble: true,
      },
      {
        name: "longitude",
        dimensions: [0, 1],
        attributes: { standard_name: "longitude", units: "degrees_east" },
        values: longitude,
        isDouble: true,
      },
      { name, dimensions: [0, 1], attributes: described, values, isDouble: false },
    ],
  );
}
