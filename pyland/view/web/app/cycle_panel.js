/**
 * The panel of a real-time cycle: its products, alarms and the ages of its inputs.
 */
const LATENCY_STATES = new Set(["ok", "late", "missing"]);
const HOUR = 3600; // [s]
const SQUARE_KILOMETRE = 1e6; // [m2]

/** Fill a table: header words and rows of texts; a row may have a class and an action. */
function fill(table, header, rows) {
  const line = (kind, texts) => {
    const row = document.createElement("tr");
    row.append(
      ...texts.map((text) => {
        const cell = document.createElement(kind);
        if (text instanceof Node) cell.append(text);
        else cell.textContent = text;
        return cell;
      }),
    );
    return row;
  };
  table.replaceChildren(
    line("th", header),
    ...rows.map(({ texts, name }) => {
      const row = line("td", texts);
      if (name) row.className = name;
      return row;
    }),
  );
}

/** Return the list of a status file, whatever stands around it. */
function listOf(given, name) {
  return Array.isArray(given) ? given : (given?.[name] ?? []);
}

export class CyclePanel {
  /** @param {HTMLElement} root @param {Object} page see main.js */
  constructor(root, page) {
    this.root = root;
    this.page = page;
    this.shown = null;
  }

  /** Read the state of the cycle again. */
  async update(run) {
    try {
      this.shown = await this.page.source.cycle(run);
      this.redraw();
    } catch (error) {
      this.page.messages.tell(error, () => this.update(run));
    }
  }

  /** Draw what is shown again, in another language. */
  redraw() {
    if (!this.shown) return;
    const { status, products, alarms, latency } = this.shown;
    const { language } = this.page;
    const moment = status?.now ?? latency?.time ?? null;
    const counts = status?.cycles === undefined ? "" : language.text("cycle.counts", status);
    const parts = [moment ? `${language.moment(moment)} UTC` : "", counts, status?.stopped ?? ""];
    this.root.querySelector(".cycle-state").textContent = parts.filter(Boolean).join(" · ");
    this.#products(listOf(products, "products"));
    this.#alarms(listOf(alarms, "alarms"));
    this.#latency(listOf(latency, "inputs"));
  }

  #products(products) {
    const { language, state } = this.page;
    const rows = products.map((product) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = product.title ?? product.stamp ?? product.run;
      button.setAttribute("aria-pressed", String(product.run === state.values.run));
      button.addEventListener("click", () => state.change({ run: product.run, time: null }));
      const kind = language.has(`cycle.kind.${product.kind}`)
        ? language.text(`cycle.kind.${product.kind}`)
        : (product.kind ?? "");
      const lead = product.lead_hours?.length ? `${product.lead_hours.at(-1)} h` : "";
      return { texts: [button, [kind, lead].filter(Boolean).join(" ")] };
    });
    this.#table("products", ["cycle.product", "cycle.kind"], rows);
  }

  #alarms(alarms) {
    const { language } = this.page;
    const rows = alarms.map((alarm) => {
      const status = language.has(`cycle.alarm.${alarm.status}`) ? language.text(`cycle.alarm.${alarm.status}`) : "";
      const probability = alarm.worst?.probability ?? alarm.probability ?? null;
      const area = Number.isFinite(alarm.area) ? `${language.number(alarm.area / SQUARE_KILOMETRE, 3)} km²` : "";
      return {
        name: alarm.status === "cleared" ? "is-over" : "is-alarm",
        texts: [
          [alarm.name, alarm.drought_class].filter(Boolean).join(" "),
          status,
          alarm.since ? language.moment(alarm.since, true) : "",
          probability === null ? "" : `${language.number(probability * 100, 3)} %`,
          area,
          language.given(alarm.text ?? alarm.message, ""),
        ],
      };
    });
    this.#table(
      "alarms",
      ["cycle.alarm", "cycle.status", "cycle.since", "cycle.probability", "cycle.area", "cycle.message"],
      rows,
    );
  }

  #latency(inputs) {
    const { language } = this.page;
    const hours = (seconds) => (Number.isFinite(seconds) ? `${language.number(seconds / HOUR, 3)} h` : "–");
    const rows = inputs.map((input) => {
      const known = LATENCY_STATES.has(input.status) ? input.status : "missing";
      const newest = input.newest_valid ?? null;
      return {
        name: `is-${known}`,
        texts: [
          input.name,
          input.stream ?? "",
          newest ? `${language.moment(newest)} UTC` : "–",
          hours(input.age),
          hours(input.expected_latency),
          language.text(`cycle.latency.${known}`),
        ],
      };
    });
    this.#table(
      "latency",
      ["cycle.input", "cycle.stream", "cycle.newest", "cycle.age", "cycle.expected", "cycle.status"],
      rows,
    );
  }

  #table(name, header, rows) {
    const table = this.root.querySelector(`.cycle-${name}`);
    const none = this.root.querySelector(`.cycle-no-${name}`);
    table.hidden = rows.length === 0;
    none.hidden = rows.length > 0;
    fill(
      table,
      header.map((key) => this.page.language.text(key)),
      rows,
    );
  }
}
