/**
 * Files of what the map shows: made by the server where there is one, else by the page.
 */
import { commaSeparated, save } from "./comma_separated.js";
import { mapFile } from "./netcdf_classic.js";

const FORMATS = { nc: "NetCDF", csv: "CSV", tif: "GeoTIFF", png: "PNG" };
const MADE_HERE = ["nc", "csv"];

/** Return a map as a table of its cells that have a value. */
export function mapTable({ run, variable, statistic, layer, values, start, end }) {
  const { grid } = run;
  const rows = [];
  values.forEach((value, cell) => {
    const [row, column] = [Math.floor(cell / grid.nx), cell % grid.nx];
    if (Number.isFinite(value))
      rows.push([
        row,
        column,
        ...grid.centre(row, column).map((one) => Number(one.toFixed(6))),
        Number(value.toPrecision(8)),
      ]);
  });
  const depth = variable.layers?.[layer];
  const comments = [
    `run: ${run.title}`,
    `variable: ${variable.id} [${variable.units}], ${statistic}`,
    ...(depth?.top !== undefined && depth?.top !== null ? [`depth: ${depth.top}-${depth.bottom} m`] : []),
    ...(end ? [`interval: ${start ?? ""} to ${end}`] : []),
  ];
  return commaSeparated(comments, ["row", "column", "latitude", "longitude", variable.id], rows);
}

export class Downloads {
  #side = null;

  /** @param {HTMLElement} root @param {Object} page see main.js */
  constructor(root, page) {
    this.root = root;
    this.page = page;
  }

  /** Offer files of the first side of the map. */
  show([side]) {
    this.#side = side;
    const { source } = this.page;
    const isTimeless = side.path.time === null;
    const offered = side.run.index.downloads ?? [];
    const known = source.isStatic || isTimeless ? MADE_HERE : offered;
    const formats = [...new Set([...known, ...(side.run.grid.isSites ? [] : ["png"])])].filter((format) => {
      return format in FORMATS && !(format === "tif" && side.run.grid.isSites);
    });
    this.root.replaceChildren(
      ...formats.map((format) => {
        const isHere = format === "png" || source.isStatic || isTimeless;
        const element = document.createElement(isHere ? "button" : "a");
        element.className = `download-${format}`;
        element.textContent = FORMATS[format];
        if (isHere) {
          element.type = "button";
          element.addEventListener("click", () => this.#make(format));
        } else {
          element.href = source.mapDownload(side.path, format);
          element.download = "";
        }
        return element;
      }),
    );
    const prepared = side.run.index.prepared ?? [];
    this.root.append(
      ...prepared.map((entry) => {
        const link = document.createElement("a");
        link.href = entry.url ?? entry;
        link.textContent =
          entry.name ??
          String(entry.url ?? entry)
            .split("/")
            .at(-1);
        link.download = "";
        return link;
      }),
    );
  }

  /** Name of a file without its ending. */
  get #name() {
    const { run, variable, statistic, end } = this.#side;
    return [run.id, variable.id, statistic, end?.replace(/[^0-9T]/g, "")].filter(Boolean).join("_");
  }

  async #make(format) {
    const side = this.#side;
    const name = `${this.#name}.${format}`;
    if (format === "png") save(name, await this.page.map.image(), "image/png");
    else if (format === "csv") save(name, mapTable(side), "text/csv");
    else save(name, mapFile(side), "application/x-netcdf");
  }
}
