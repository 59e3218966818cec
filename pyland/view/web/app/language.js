/**
 * Words, numbers and dates in the language of the reader. Words are in i18n/<language>.json by key; an element of the page
 * names its key in data-text (its text), data-label (its accessible name) or data-hint (its tooltip).
 */
export const LANGUAGES = Object.freeze({ en: "English", de: "Deutsch", zh: "中文" });
const LOCALES = { en: "en-GB", de: "de-DE", zh: "zh-CN" };
const LARGEST_PLAIN = 1e9; // larger numbers are written with powers of ten
const SUPERSCRIPT = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

/**
 * Choose a language: the one that was asked for, or the reader's own, or English.
 * @param {...?string} wishes first that is known wins
 */
export function chosenLanguage(...wishes) {
  for (const wish of wishes) {
    const short = (wish ?? "").toLowerCase().slice(0, 2);
    if (short in LANGUAGES) return short;
  }
  return "en";
}

/** Write a unit with superscripts: "kg m-2 s-1" becomes "kg m⁻² s⁻¹", "1e9 m3" "10⁹ m³"; "1" becomes nothing. */
export function unitText(units) {
  if (!units || units === "1") return "";
  const raise = (power) => [...power].map((sign) => SUPERSCRIPT[sign]).join("");
  return units.replace(/1e(\d+)/, (_whole, power) => `10${raise(power)}`).replace(/(?<=[A-Za-z])-?\d/g, raise);
}

/** Return a moment [ms]; times without a zone are in UTC, as all times of pyland. */
export function instant(text) {
  return Date.parse(/T.*([Zz]|[+-]\d\d:?\d\d)$/.test(text) || !text.includes("T") ? text : `${text}Z`);
}

export class Language {
  #words = {};
  #loaded = new Map();
  name = "en";

  /**
   * Read the words of a language and use them from now on.
   * @param {string} name en, de or zh
   */
  async use(name) {
    if (!this.#loaded.has(name)) {
      const answer = await fetch(`i18n/${name}.json`);
      if (!answer.ok) throw new Error(`i18n/${name}.json: ${answer.status}`);
      this.#loaded.set(name, await answer.json());
    }
    this.#words = this.#loaded.get(name);
    this.name = name;
    document.documentElement.lang = LOCALES[name];
  }

  /**
   * Return the words of a key, with values in the place of {names}.
   * @param {string} key
   * @param {Object} values
   */
  text(key, values = {}) {
    const words = this.#words[key] ?? key;
    return words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
  }

  /** Tell whether a key has words. */
  has(key) {
    return key in this.#words;
  }

  /** Return the name of a variable: of the page, of the run, or its id. */
  variableName(variable) {
    const own = variable.long_name?.[this.name];
    return own ?? this.#words[`variable.${variable.id}`] ?? variable.long_name?.en ?? variable.id;
  }

  /** Return words that a file gives in several languages, {en, de, zh} or one text. */
  given(words, fallback = "") {
    if (typeof words === "string") return words;
    return words?.[this.name] ?? words?.en ?? fallback;
  }

  /** Return the name of a statistic, p05 as a quantile. */
  statisticName(statistic) {
    const share = /^p(\d\d)$/.exec(statistic);
    return share ? this.text("statistic.quantile", { percent: Number(share[1]) }) : this.text(`statistic.${statistic}`);
  }

  /** Return a depth range or the number of a layer. */
  layerName(layer, place) {
    if (layer.name) return layer.name;
    if (layer.top === null || layer.top === undefined) return this.text("layer.number", { number: place + 1 });
    return this.text("layer.depth", { top: this.number(layer.top * 100), bottom: this.number(layer.bottom * 100) });
  }

  /** Write a number with some significant digits. */
  number(value, digits = 4) {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    const size = Math.abs(value);
    const notation = size !== 0 && (size < 1e-4 || size >= LARGEST_PLAIN) ? "scientific" : "standard";
    const options = { maximumSignificantDigits: digits, notation, useGrouping: size >= 1e4 };
    return new Intl.NumberFormat(LOCALES[this.name], options).format(value);
  }

  /** Write latitude and longitude [degrees]. */
  place(latitude, longitude) {
    const write = (value, positive, negative) => {
      const format = { minimumFractionDigits: 3, maximumFractionDigits: 3 };
      const size = new Intl.NumberFormat(LOCALES[this.name], format).format(Math.abs(value));
      return `${size}° ${this.text(value >= 0 ? positive : negative)}`;
    };
    return `${write(latitude, "north", "south")}, ${write(longitude, "east", "west")}`;
  }

  /** Write a moment in UTC; without the time of day where it is midnight and may be left out. */
  moment(text, isBrief = false) {
    const date = new Date(instant(text));
    const isMidnight = date.getUTCHours() === 0 && date.getUTCMinutes() === 0;
    const options = { timeZone: "UTC", year: "numeric", month: "short", day: "numeric" };
    if (!(isBrief && isMidnight)) Object.assign(options, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    return new Intl.DateTimeFormat(LOCALES[this.name], options).format(date);
  }

  /** Write an interval in UTC. */
  interval(start, end) {
    if (!start || start === end) return `${this.moment(end)} UTC`;
    return `${this.moment(start)} – ${this.moment(end)} UTC`;
  }

  /** Put words into all elements below one that name a key. */
  apply(root = document) {
    for (const element of root.querySelectorAll("[data-text]")) element.textContent = this.text(element.dataset.text);
    for (const element of root.querySelectorAll("[data-label]")) {
      element.setAttribute("aria-label", this.text(element.dataset.label));
    }
    for (const element of root.querySelectorAll("[data-hint]")) element.title = this.text(element.dataset.hint);
  }
}
