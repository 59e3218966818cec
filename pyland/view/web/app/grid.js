/**
 * Where the cells of a run lie. Maps are drawn in the plane of the grid: x counts columns, y counts rows from south to
 * north, a cell is a unit square, so that every cell is seen as it is computed. Sites lie in the plane of degrees.
 */
const EARTH_RADIUS = 6371008.8; // mean radius [m] (IUGG)
const RADIAN = Math.PI / 180;
const STEPS = 20; // most steps of the search for a place in the plane; each takes it at least to the next cell
const LEAST_EXTENT = 0.02; // a map of sites shows at least so many degrees

/** Return a difference of longitudes within half a turn [degrees]. */
function turned(difference) {
  return difference - 360 * Math.round(difference / 360);
}

/** Return the distance of two places on the sphere [m]. */
function distance([latitude, longitude], [otherLatitude, otherLongitude]) {
  const north = (otherLatitude - latitude) * RADIAN;
  const east = turned(otherLongitude - longitude) * RADIAN;
  const chord =
    Math.sin(north / 2) ** 2 + Math.cos(latitude * RADIAN) * Math.cos(otherLatitude * RADIAN) * Math.sin(east / 2) ** 2;
  return 2 * EARTH_RADIUS * Math.asin(Math.sqrt(Math.min(1, chord)));
}

/** Cells in rows and columns, at any places. */
export class Grid {
  isSites = false;

  /**
   * @param {Object} description `grid` of the index
   * @param {ArrayLike<number>} latitude [degrees north], of rows or of cells
   * @param {ArrayLike<number>} longitude [degrees east], of columns or of cells
   */
  constructor(description, latitude, longitude) {
    this.ny = description.ny;
    this.nx = description.nx;
    this.isNorthFirst = description.row0 === "north";
    const isRegular = description.kind === "regular";
    this.latitudeAt = isRegular ? (row) => latitude[row] : (row, column) => latitude[row * this.nx + column];
    this.longitudeAt = isRegular
      ? (_row, column) => longitude[column]
      : (row, column) => longitude[row * this.nx + column];
    this.bounds = { left: 0, right: this.nx, bottom: 0, top: this.ny };
    this.aspect = this.#aspect();
  }

  /** Height of a cell of the middle over its width on the ground. */
  #aspect() {
    const [x, y] = [this.nx / 2, this.ny / 2];
    const width = distance(this.toGeographic(x - 0.5, y), this.toGeographic(x + 0.5, y));
    const height = distance(this.toGeographic(x, y - 0.5), this.toGeographic(x, y + 0.5));
    return this.nx > 1 && this.ny > 1 && width > 0 && height > 0 ? height / width : 1;
  }

  /** Return row of the file and column of a place in the plane, or null outside. */
  cellAt(x, y) {
    const column = Math.floor(x);
    const upward = Math.floor(y);
    if (column < 0 || column >= this.nx || upward < 0 || upward >= this.ny) return null;
    return { row: this.isNorthFirst ? this.ny - 1 - upward : upward, column };
  }

  /** Return the middle of a cell in the plane. */
  middle(row, column) {
    return [column + 0.5, (this.isNorthFirst ? this.ny - 1 - row : row) + 0.5];
  }

  /** Return latitude and longitude of the middle of a cell. */
  centre(row, column) {
    return [this.latitudeAt(row, column), this.longitudeAt(row, column)];
  }

  /** Return latitude and longitude of a place in the plane, linear between the middles of cells and beyond them. */
  toGeographic(x, y) {
    const split = (place, count) => {
      if (count < 2) return [0, 0, 0];
      const low = Math.min(count - 2, Math.max(0, Math.floor(place)));
      return [low, low + 1, place - low];
    };
    const [left, right, east] = split(x - 0.5, this.nx);
    const [low, high, up] = split((this.isNorthFirst ? this.ny - y : y) - 0.5, this.ny);
    const first = this.longitudeAt(low, left);
    const mix = (value) =>
      (1 - up) * ((1 - east) * value(low, left) + east * value(low, right)) +
      up * ((1 - east) * value(high, left) + east * value(high, right));
    const longitude = first + mix((row, column) => turned(this.longitudeAt(row, column) - first));
    return [mix(this.latitudeAt), turned(longitude)];
  }

  /** Return a place in the plane, from the nearest of some cells by steps of Newton. */
  toPlane(latitude, longitude) {
    let [x, y] = this.#nearest(latitude, longitude);
    for (let step = 0; step < STEPS; step += 1) {
      const [hereLatitude, hereLongitude] = this.toGeographic(x, y);
      const north = latitude - hereLatitude;
      const east = turned(longitude - hereLongitude);
      const right = this.toGeographic(x + 0.5, y);
      const left = this.toGeographic(x - 0.5, y);
      const above = this.toGeographic(x, y + 0.5);
      const below = this.toGeographic(x, y - 0.5);
      const [a, b] = [right[0] - left[0], above[0] - below[0]];
      const [c, d] = [turned(right[1] - left[1]), turned(above[1] - below[1])];
      const determinant = a * d - b * c;
      if (determinant === 0) break;
      const moveX = (north * d - b * east) / determinant;
      const moveY = (a * east - c * north) / determinant;
      x += moveX;
      y += moveY;
      if (Math.abs(moveX) + Math.abs(moveY) < 1e-6) break;
    }
    return [x, y];
  }

  #nearest(latitude, longitude) {
    const stride = Math.max(1, Math.floor(Math.sqrt((this.nx * this.ny) / 2500)));
    const shrink = Math.cos(latitude * RADIAN);
    let best = [0.5, 0.5];
    let least = Infinity;
    for (let row = 0; row < this.ny; row += stride) {
      for (let column = 0; column < this.nx; column += stride) {
        const north = this.latitudeAt(row, column) - latitude;
        const east = turned(this.longitudeAt(row, column) - longitude) * shrink;
        const far = north * north + east * east;
        if (far < least) {
          least = far;
          best = this.middle(row, column);
        }
      }
    }
    return best;
  }
}

/** Points with names, without area. */
export class SiteGrid {
  isSites = true;
  isNorthFirst = false;
  ny = 1;

  constructor(description, latitude, longitude) {
    this.nx = description.nx;
    this.names = description.names ?? Array.from(latitude, (_value, place) => `${place + 1}`);
    this.latitude = Array.from(latitude);
    this.longitude = Array.from(longitude);
    const extent = (values) => {
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const half = Math.max((high - low) * 0.6, LEAST_EXTENT / 2);
      return [(low + high) / 2 - half, (low + high) / 2 + half];
    };
    const [left, right] = extent(this.longitude);
    const [bottom, top] = extent(this.latitude);
    this.bounds = { left, right, bottom, top };
    this.aspect = 1 / Math.max(Math.cos(((bottom + top) / 2) * RADIAN), 0.05);
  }

  /** Return the site that is nearest to a place, if it is within a reach in degrees of longitude. */
  cellAt(x, y, reach = Infinity) {
    let column = null;
    let least = reach;
    this.longitude.forEach((longitude, place) => {
      const far = Math.hypot(longitude - x, (this.latitude[place] - y) * this.aspect);
      if (far <= least) {
        least = far;
        column = place;
      }
    });
    return column === null ? null : { row: 0, column };
  }

  middle(_row, column) {
    return [this.longitude[column], this.latitude[column]];
  }

  centre(_row, column) {
    return [this.latitude[column], this.longitude[column]];
  }

  toGeographic(x, y) {
    return [y, x];
  }

  toPlane(latitude, longitude) {
    return [longitude, latitude];
  }
}

/**
 * Read the grid of a run.
 * @param {import("./data_source.js").DataSource} source
 * @param {Object} description `grid` of the index
 */
export async function readGrid(source, description) {
  const read = (given) => (typeof given === "string" ? source.values(given) : given);
  const [latitude, longitude] = await Promise.all([read(description.latitude), read(description.longitude)]);
  return new (description.kind === "sites" ? SiteGrid : Grid)(description, latitude, longitude);
}
