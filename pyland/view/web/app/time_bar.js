/**
 * The time that is shown: slider, steps, play, keys.
 */
const FRAME_LIMIT = 60000; // a map that takes longer than this stops the play [ms]

export class TimeBar {
  #isPlaying = false;
  #ends = [];
  #starts = [];
  #place = 0;

  /**
   * @param {HTMLElement} root with elements of the classes time-*
   * @param {{language: Object, change: function(string, string): void, drawn: function(): Promise}} page change gets the
   *   moment and what the address does; drawn resolves when the map of the last change is on the screen
   */
  constructor(root, page) {
    this.root = root;
    this.page = page;
    this.slider = root.querySelector(".time-slider");
    this.output = root.querySelector(".time-shown");
    this.playButton = root.querySelector(".time-play");
    this.speed = root.querySelector(".time-speed");
    this.slider.addEventListener("input", () => this.#go(Number(this.slider.value), "replace"));
    const steps = { "time-first": -Infinity, "time-previous": -1, "time-next": 1, "time-last": Infinity };
    for (const [name, step] of Object.entries(steps)) {
      root.querySelector(`.${name}`).addEventListener("click", () => {
        this.stop();
        this.#go(this.#place + step, "replace");
      });
    }
    this.playButton.addEventListener("click", () => (this.#isPlaying ? this.stop() : this.play()));
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Use the times of another variable or run. */
  setTimes(ends, starts, place) {
    [this.#ends, this.#starts, this.#place] = [ends, starts, place];
    this.slider.max = String(Math.max(0, ends.length - 1));
    this.root.classList.toggle("has-no-time", ends.length === 0);
    for (const element of this.root.querySelectorAll("button, input, select")) element.disabled = ends.length < 2;
    this.#show();
  }

  #show() {
    const end = this.#ends[this.#place];
    const { language } = this.page;
    const text = end ? language.interval(this.#starts[this.#place], end) : language.text("time.none");
    this.slider.value = String(this.#place);
    this.slider.setAttribute("aria-valuetext", text);
    this.output.textContent = text;
    this.root.querySelector(".time-count").textContent = end ? `${this.#place + 1} / ${this.#ends.length}` : "";
    const key = this.#isPlaying ? "time.pause" : "time.play";
    this.playButton.setAttribute("aria-label", language.text(key));
    this.playButton.title = language.text(key);
    this.playButton.setAttribute("aria-pressed", String(this.#isPlaying));
    this.playButton.textContent = this.#isPlaying ? "❚❚" : "▶";
  }

  /** Write dates again, in another language. */
  relabel() {
    this.#show();
  }

  #go(place, history) {
    const bounded = Math.min(this.#ends.length - 1, Math.max(0, place));
    if (bounded === this.#place || bounded < 0) return;
    this.#place = bounded;
    this.#show();
    this.page.change(this.#ends[bounded], history);
  }

  /** Show one record after the other; each stays until the next is drawn. After the last comes the first. */
  async play() {
    this.#isPlaying = true;
    this.#show();
    while (this.#isPlaying) {
      const started = performance.now();
      this.#go((this.#place + 1) % this.#ends.length, "replace");
      await this.page.drawn();
      const spent = performance.now() - started;
      if (spent > FRAME_LIMIT) break;
      await new Promise((done) => setTimeout(done, Math.max(0, 1000 / Number(this.speed.value) - spent)));
    }
    this.stop();
  }

  stop() {
    this.#isPlaying = false;
    this.#show();
  }

  #key(event) {
    const element = event.target;
    const isTyping = element.closest?.(
      "input:not(.time-slider), select, textarea, [role=slider], [role=tablist], .map-stage, table",
    );
    if (isTyping || event.ctrlKey || event.altKey || event.metaKey || this.#ends.length < 2) return;
    const size = event.shiftKey ? 10 : 1;
    const steps = { ArrowLeft: -size, ArrowRight: size, Home: -Infinity, End: Infinity };
    if (event.key in steps) {
      this.stop();
      this.#go(this.#place + steps[event.key], "replace");
    } else if (event.key === " " && !element.closest?.("button, summary, a")) {
      if (this.#isPlaying) this.stop();
      else this.play();
    } else {
      return;
    }
    event.preventDefault();
  }
}
