/**
 * What went wrong, in a sentence that the reader sees and hears, and how to go on.
 */
export class Messages {
  #retry = null;

  /**
   * @param {HTMLElement} banner with elements of the classes message-text, message-retry and message-close
   * @param {import("./language.js").Language} language
   */
  constructor(banner, language) {
    this.banner = banner;
    this.language = language;
    banner.querySelector(".message-retry").addEventListener("click", () => {
      const retry = this.#retry;
      this.clear();
      retry?.();
    });
    banner.querySelector(".message-close").addEventListener("click", () => this.clear());
  }

  /**
   * Tell about an error; an abort is none.
   * @param {Error} error
   * @param {?Function} retry what the reader may try again
   */
  tell(error, retry = null) {
    if (error.name === "AbortError") return;
    const key = `error.${error.kind ?? "page"}`;
    this.show(this.language.text(key, { detail: error.message }), retry);
    if (!error.kind) console.error(error);
  }

  /** Show a sentence. */
  show(sentence, retry = null) {
    this.#retry = retry;
    this.banner.querySelector(".message-text").textContent = sentence;
    this.banner.querySelector(".message-retry").hidden = retry === null;
    this.banner.hidden = false;
  }

  clear() {
    this.banner.hidden = true;
    this.#retry = null;
  }
}
