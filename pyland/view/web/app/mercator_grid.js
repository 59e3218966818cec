/**
 * A grid seen in the plane of web maps (Mercator on a sphere), for base maps made of tiles.
 */
const RADIUS = 6378137; // of the sphere of web maps, EPSG:3857 [m]
const MOST = 85.05; // latitude beyond which web maps end [degrees]
const LARGEST_SIDE = 1200; // of the image on which cells are laid [pixel]
const RADIAN = Math.PI / 180;

/** Return x and y [m] of a place. */
function projected(latitude, longitude) {
  const bounded = Math.min(MOST, Math.max(-MOST, latitude));
  return [RADIUS * longitude * RADIAN, RADIUS * Math.log(Math.tan(Math.PI / 4 + (bounded * RADIAN) / 2))];
}

/** Return latitude and longitude [degrees] of x and y [m]. */
function unprojected(x, y) {
  return [(2 * Math.atan(Math.exp(y / RADIUS)) - Math.PI / 2) / RADIAN, x / RADIUS / RADIAN];
}

/** Cells of a grid on a base map: each pixel of an image shows the cell whose quadrangle holds its middle. */
export class MercatorGrid {
  isSites = false;
  aspect = 1;

  /** @param {import("./grid.js").Grid} grid */
  constructor(grid) {
    this.grid = grid;
    ({ ny: this.ny, nx: this.nx, isNorthFirst: this.isNorthFirst } = grid);
    this.#place();
    this.#lay();
  }

  #place() {
    const { ny, nx } = this;
    this.cornerX = new Float64Array((ny + 1) * (nx + 1));
    this.cornerY = new Float64Array((ny + 1) * (nx + 1));
    const bounds = { left: Infinity, right: -Infinity, bottom: Infinity, top: -Infinity };
    for (let up = 0; up <= ny; up += 1) {
      for (let across = 0; across <= nx; across += 1) {
        const [x, y] = this.placeOf(across, up);
        this.cornerX[up * (nx + 1) + across] = x;
        this.cornerY[up * (nx + 1) + across] = y;
        bounds.left = Math.min(bounds.left, x);
        bounds.right = Math.max(bounds.right, x);
        bounds.bottom = Math.min(bounds.bottom, y);
        bounds.top = Math.max(bounds.top, y);
      }
    }
    this.bounds = bounds;
  }

  #lay() {
    const { left, right, bottom, top } = this.bounds;
    const cells = Math.max(this.nx, this.ny);
    const pixels = Math.min(LARGEST_SIDE, Math.max(cells * 3, 300));
    const size = Math.max(right - left, top - bottom) / pixels;
    this.width = Math.max(1, Math.round((right - left) / size));
    this.height = Math.max(1, Math.round((top - bottom) / size));
    this.index = new Int32Array(this.width * this.height).fill(-1);
    const [stepX, stepY] = [(right - left) / this.width, (top - bottom) / this.height];
    for (let up = 0; up < this.ny; up += 1) {
      for (let column = 0; column < this.nx; column += 1) {
        const first = up * (this.nx + 1) + column;
        const corners = [first, first + 1, first + this.nx + 2, first + this.nx + 1];
        const xs = corners.map((corner) => (this.cornerX[corner] - left) / stepX);
        const ys = corners.map((corner) => (this.cornerY[corner] - bottom) / stepY);
        const cell = (this.isNorthFirst ? this.ny - 1 - up : up) * this.nx + column;
        this.#fill(xs, ys, cell);
      }
    }
  }

  #fill(xs, ys, cell) {
    const [firstRow, lastRow] = [
      Math.max(0, Math.ceil(Math.min(...ys) - 0.5)),
      Math.min(this.height - 1, Math.floor(Math.max(...ys) - 0.5)),
    ];
    for (let row = firstRow; row <= lastRow; row += 1) {
      const crossings = [];
      for (let side = 0; side < 4; side += 1) {
        const next = (side + 1) % 4;
        const [low, high] = [ys[side] - row - 0.5, ys[next] - row - 0.5];
        if (low < 0 === high < 0) continue;
        crossings.push(xs[side] + ((xs[next] - xs[side]) * low) / (low - high));
      }
      if (crossings.length < 2) continue;
      const start = Math.max(0, Math.ceil(Math.min(...crossings) - 0.5));
      const end = Math.min(this.width - 1, Math.floor(Math.max(...crossings) - 0.5));
      for (let column = start; column <= end; column += 1) this.index[row * this.width + column] = cell;
    }
  }

  /** Return values as an image on the base map. */
  picture(values) {
    const rows = new Float32Array(this.index.length);
    for (let pixel = 0; pixel < rows.length; pixel += 1)
      rows[pixel] = this.index[pixel] < 0 ? NaN : values[this.index[pixel]];
    return { values: rows, width: this.width, height: this.height, ...this.bounds };
  }

  /** Return the place on the base map of a place in the plane of rows and columns. */
  placeOf(x, y) {
    return projected(...this.grid.toGeographic(x, y));
  }

  cellAt(x, y) {
    const { left, right, bottom, top } = this.bounds;
    const column = Math.floor(((x - left) / (right - left)) * this.width);
    const row = Math.floor(((y - bottom) / (top - bottom)) * this.height);
    if (column < 0 || column >= this.width || row < 0 || row >= this.height) return null;
    const cell = this.index[row * this.width + column];
    return cell < 0 ? null : { row: Math.floor(cell / this.nx), column: cell % this.nx };
  }

  middle(row, column) {
    return projected(...this.grid.centre(row, column));
  }

  centre(row, column) {
    return this.grid.centre(row, column);
  }

  toGeographic(x, y) {
    return unprojected(x, y);
  }

  toPlane(latitude, longitude) {
    return projected(latitude, longitude);
  }
}
