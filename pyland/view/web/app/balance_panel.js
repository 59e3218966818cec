/**
 * The panel of an area: its water balance as a table and as bars.
 */
import { typedCorners } from "./area_drawing.js";
import { chart, COLOURS, INK } from "./chart_style.js";
import { commaSeparated, save } from "./comma_separated.js";
import { unitText } from "./language.js";
import { library, showFigure, takeAway } from "./library.js";

const UNIT_ENDING = /_(mm|1e9m3|km2|m|gc)$/; // of the names of columns
const BAR_UNITS = ["mm", "kg m-2"]; // depths of water; volumes and ratios are in the table
const SQUARE_KILOMETRE = 1e6; // [m2]

/** Make a cell of a table. */
function tableCell(kind, text, scope = null) {
  const cell = document.createElement(kind);
  cell.textContent = text;
  if (scope) cell.scope = scope;
  return cell;
}

export class BalancePanel {
  #shown = null;
  #turn = 0;

  /** @param {HTMLElement} root @param {Object} page see main.js */
  constructor(root, page) {
    this.root = root;
    this.page = page;
    this.caption = root.querySelector(".balance-place");
    this.table = root.querySelector(".balance-table");
    this.bars = root.querySelector(".balance-bars");
    this.button = root.querySelector(".balance-csv");
    this.button.addEventListener("click", () => this.#save());
    const corners = root.querySelector(".balance-form");
    corners.addEventListener("submit", (event) => {
      event.preventDefault();
      const polygon = typedCorners(corners.elements.corners.value);
      if (polygon) page.state.change({ polygon, zone: null });
      else page.messages.show(page.language.text("error.corners"));
    });
    for (const name of ["from", "to"]) {
      root.querySelector(`[name=${name}]`).addEventListener("change", (event) => {
        page.state.change({ [name]: event.target.value || null });
      });
    }
  }

  /** Show the balance of the chosen polygon or zone. */
  async update() {
    const { state, source, runs, language, messages } = this.page;
    const { run: id, polygon, zone, from, to } = state.values;
    this.#turn += 1;
    const turn = this.#turn;
    for (const [name, value] of [
      ["from", from],
      ["to", to],
    ])
      this.root.querySelector(`[name=${name}]`).value = value?.slice(0, 10) ?? "";
    const run = id ? await runs.run(id) : null;
    const isThere = Boolean(run?.index.has_balance ?? run?.index.balance);
    if (!isThere || (!polygon && !zone)) {
      this.#clear(language.text(isThere ? "balance.hint" : "balance.none"));
      return;
    }
    try {
      const wish = { run: id, polygon, zone, from, to, grid: run.grid };
      const table = await (polygon ? source.polygonBalance(wish) : source.zoneBalance(wish));
      if (turn !== this.#turn) return;
      if (table.rows.length === 0) {
        this.#clear(language.text("balance.empty"));
        return;
      }
      this.#shown = { table, run, polygon, zone };
      await this.redraw();
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#clear("");
      messages.tell(error, () => this.update());
    }
  }

  /** Return columns and rows; the first column of each row is a name. */
  #parts() {
    const { language } = this.page;
    const { table } = this.#shown;
    const columns = table.columns.slice(1).map((column) => {
      const own = `balance.column.${column.id.replace(UNIT_ENDING, "")}`;
      const label = language.has(own) ? language.text(own) : language.given(column.label, column.id);
      return { ...column, text: label, unit: unitText(column.units) };
    });
    const nameOf = (id) => (id === "polygon" ? language.text("balance.polygon") : this.#zoneName(id));
    return { columns, rows: table.rows.map(([name, ...values]) => ({ name: nameOf(String(name)), values })) };
  }

  #zoneName(id) {
    const zone = this.#shown.run.index.zones?.find((one) => one.id === id || one.name === id);
    if (zone?.id === "all" || id === "all") return this.page.language.text("balance.whole");
    return zone?.name ?? id;
  }

  /** Draw what is shown again, in another language. */
  async redraw() {
    const { language } = this.page;
    if (!this.#shown) {
      if (this.root.classList.contains("is-empty")) this.update();
      return;
    }
    const { table } = this.#shown;
    const { columns, rows } = this.#parts();
    this.root.classList.remove("is-empty");
    const [from, to] = table.period ?? [];
    const values = {
      area: language.number(table.area / SQUARE_KILOMETRE),
      cells: language.number(table.cells ?? null),
    };
    const period = from ? ` · ${language.moment(from, true)} – ${language.moment(to, true)}` : "";
    const names = rows.map(({ name }) => name).join(", ");
    this.caption.textContent = `${names} · ${language.text("balance.size", values)}${period}`;
    const head = document.createElement("tr");
    head.append(
      tableCell("th", language.text("balance.term"), "col"),
      ...rows.map(({ name }) => tableCell("th", name, "col")),
      tableCell("th", language.text("balance.unit"), "col"),
    );
    const body = columns.map((column, place) => {
      const line = document.createElement("tr");
      line.append(
        tableCell("th", column.text, "row"),
        ...rows.map(({ values: mine }) => this.#value(mine[place])),
        tableCell("td", column.unit),
      );
      return line;
    });
    this.table.replaceChildren(head, ...body);
    this.button.disabled = false;
    await this.#drawBars(columns, rows[0]);
    this.root.dataset.shown = rows.map(({ name }) => name).join(" ");
  }

  #value(value) {
    const text = typeof value === "number" || value === null ? this.page.language.number(value) : String(value);
    const cell = tableCell("td", text);
    cell.className = "number";
    return cell;
  }

  /** Draw the terms that are depths of water as bars. */
  async #drawBars(columns, row) {
    const Bokeh = await library();
    const mine = columns
      .map((column, place) => ({ ...column, value: row.values[place] }))
      .filter((one) => Number.isFinite(one.value) && BAR_UNITS.includes(one.units))
      .reverse();
    const unit = mine[0]?.unit ?? "";
    const names = mine.map(({ text }) => text);
    const plot = chart({
      y_range: new Bokeh.FactorRange({ factors: names }),
      x_axis_label: unit,
      height: 40 + 22 * names.length,
    });
    plot.sizing_mode = "stretch_width";
    plot.ygrid.visible = false;
    const source = new Bokeh.ColumnDataSource({
      data: {
        y: names,
        right: mine.map(({ value }) => value),
        colour: mine.map(({ value }) => (value >= 0 ? COLOURS.run : COLOURS.openLoop)),
      },
    });
    plot.hbar({
      y: { field: "y" },
      right: { field: "right" },
      left: 0,
      height: 0.7,
      source,
      fill_color: { field: "colour" },
      line_color: null,
    });
    plot.add_layout(new Bokeh.Span({ location: 0, dimension: "height", line_color: INK, line_width: 1 }));
    this.bars.style.height = `${40 + 22 * names.length}px`;
    await showFigure(plot, this.bars);
  }

  #clear(sentence) {
    this.#shown = null;
    this.table.replaceChildren();
    takeAway(this.bars);
    this.bars.style.height = "0";
    this.caption.textContent = sentence;
    this.button.disabled = true;
    this.root.classList.add("is-empty");
    delete this.root.dataset.shown;
  }

  #save() {
    const { table, run, polygon } = this.#shown;
    const { columns } = this.#parts();
    const comments = [`run: ${run.title}`, `period: ${(table.period ?? []).join(" to ")}`, `area: ${table.area} m2`];
    if (polygon) comments.push(`polygon (longitude latitude): ${polygon.map((corner) => corner.join(" ")).join("; ")}`);
    const header = ["zone", ...columns.map(({ id, units }) => (units ? `${id} [${units}]` : id))];
    save(`${run.id}_balance.csv`, commaSeparated(comments, header, table.rows), "text/csv");
  }
}
