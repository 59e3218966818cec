/**
 * The handle between two maps: dragged by a pointer, moved by arrow keys.
 */
const KEY_STEP = 0.02; // of the width of the map per key

export class SwipeDivider {
  #place = 0.5;

  /**
   * @param {HTMLElement} handle
   * @param {function(): ?{left: number, top: number, width: number, height: number}} frame of the map in its container
   * @param {function(number): void} moved gets the place, 0 at the left of the map, 1 at the right
   */
  constructor(handle, frame, moved) {
    this.handle = handle;
    this.frame = frame;
    this.moved = moved;
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      handle.setPointerCapture(event.pointerId);
      handle.focus();
      handle.onpointermove = (move) => this.#drag(move);
    });
    for (const end of ["pointerup", "pointercancel"]) handle.addEventListener(end, () => (handle.onpointermove = null));
    handle.addEventListener("keydown", (event) => this.#key(event));
  }

  #drag(event) {
    const frame = this.frame();
    const outer = this.handle.parentElement.getBoundingClientRect();
    this.#set((event.clientX - outer.left - frame.left) / frame.width);
  }

  #key(event) {
    const steps = { ArrowLeft: -KEY_STEP, ArrowRight: KEY_STEP, PageDown: -5 * KEY_STEP, PageUp: 5 * KEY_STEP };
    const ends = { Home: 0, End: 1 };
    if (event.key in steps) this.#set(this.#place + steps[event.key]);
    else if (event.key in ends) this.#set(ends[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation(); // arrows move the time elsewhere
  }

  #set(place) {
    this.#place = Math.min(1, Math.max(0, place));
    this.show(true, this.#place);
    this.moved(this.#place);
  }

  /** Show the handle at a place, or hide it. */
  show(isShown, place) {
    this.#place = place;
    const frame = this.frame();
    this.handle.hidden = !isShown || !frame;
    if (this.handle.hidden) return;
    this.handle.style.left = `${frame.left + place * frame.width}px`;
    this.handle.style.top = `${frame.top}px`;
    this.handle.style.height = `${frame.height}px`;
    this.handle.setAttribute("aria-valuenow", String(Math.round(place * 100)));
  }
}
