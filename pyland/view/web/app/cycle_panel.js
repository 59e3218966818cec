/**
 * The panel of a real-time cycle: its products, alarms and the ages of its inputs.
 */
const LATENCY_STATES = new Set(["ok", "late", "missing"]);
const HOUR = 3600; // [s]

/** Fill a table: header words and rows of texts; a row may have a class and an action. */
function fill(table, header, rows) {
  const line = (kind, texts) => {
    const row = document.createElement("tr");
    row.append(...texts.map((text) => {
      const cell = document.createElement(kind);
      if (text instanceof Node) cell.append(text);
      else cell.textContent = text;
      return cell;
    }));
    return row;
  };
  table.replaceChildren(line("th", header), ...rows.map(({ texts, name }) => {
    const row = line("td", texts);
    if (name) row.className = name;
    return row;
  }));
}

/** Return the list of a status file, whatever stands around it. */
function listOf(given, name) {
  return Array.isArray(given) ? given : given?.[name] ?? [];
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
    const state = status?.state ?? status?.status ?? "";
    const updated = status?.updated ?? status?.time ?? null;
    const words = language.has(`cycle.state.${state}`) ? language.text(`cycle.state.${state}`) : state;
    this.root.querySelector(".cycle-state").textContent = [words, updated ? `${language.moment(updated)} UTC` : ""].filter(Boolean).join(" · ");
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
      button.addEventListener("click", () => state.change({ run: product.run, time: null }));
      const leads = product.lead_hours?.length ? `${product.lead_hours.at(-1)} h` : "";
      const kind = language.has(`cycle.kind.${product.kind}`) ? language.text(`cycle.kind.${product.kind}`) : product.kind ?? "";
      return { texts: [button, kind, leads] };
    });
    const header = ["cycle.product", "cycle.kind", "cycle.lead"].map((key) => language.text(key));
    this.#table("products", header, rows);
  }

  #alarms(alarms) {
    const { language } = this.page;
    const rows = alarms.map((alarm) => ({
      name: "is-alarm",
      texts: [
        alarm.name ?? alarm.rule ?? "", language.given(alarm.zone?.name ?? alarm.zone, ""),
        alarm.valid_time ? `${language.moment(alarm.valid_time)} UTC` : "",
        alarm.probability === undefined || alarm.probability === null ? "" : `${language.number(alarm.probability * 100, 3)} %`,
        language.given(alarm.message, ""),
      ],
    }));
    const header = ["cycle.alarm", "cycle.zone", "cycle.valid", "cycle.probability", "cycle.message"].map((key) => language.text(key));
    this.#table("alarms", header, rows);
  }

  #latency(inputs) {
    const { language } = this.page;
    const hours = (given, seconds) => {
      const value = given ?? (seconds === undefined || seconds === null ? null : seconds / HOUR);
      return value === null || value === undefined ? "–" : `${language.number(value, 3)} h`;
    };
    const rows = inputs.map((input) => {
      const known = LATENCY_STATES.has(input.status) ? input.status : "missing";
      const newest = input.newest ?? input.newest_valid_time ?? null;
      return {
        name: `is-${known}`,
        texts: [
          input.name, input.stream ?? "", newest ? `${language.moment(newest)} UTC` : "–", hours(input.age_hours, input.age),
          hours(input.expected_hours, input.expected_latency), language.text(`cycle.latency.${known}`),
        ],
      };
    });
    const header = ["cycle.input", "cycle.stream", "cycle.newest", "cycle.age", "cycle.expected", "cycle.status"].map((key) => language.text(key));
    this.#table("latency", header, rows);
  }

  #table(name, header, rows) {
    const table = this.root.querySelector(`.cycle-${name}`);
    const none = this.root.querySelector(`.cycle-no-${name}`);
    table.hidden = rows.length === 0;
    none.hidden = rows.length > 0;
    fill(table, header, rows);
  }
}
