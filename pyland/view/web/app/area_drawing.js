/**
 * An area drawn on the map, corner by corner.
 */
const FEWEST = 3; // corners of an area

export class AreaDrawing {
  #corners = null;

  /**
   * @param {HTMLElement} root with elements of the classes area-*
   * @param {{changed: function(number[][]): void, done: function(?number[][]): void}} actions get corners
   *   [longitude, latitude]; null: given up
   */
  constructor(root, actions) {
    this.root = root;
    this.actions = actions;
    root.querySelector(".area-draw").addEventListener("click", () => (this.isDrawing ? this.finish() : this.begin()));
    root.querySelector(".area-cancel").addEventListener("click", () => this.cancel());
    document.addEventListener("keydown", (event) => {
      if (!this.isDrawing) return;
      if (event.key === "Escape") this.cancel();
      else if (event.key === "Enter" && !event.target.closest("button, input, select")) this.finish();
    });
  }

  get isDrawing() {
    return this.#corners !== null;
  }

  begin() {
    this.#corners = [];
    this.#show();
  }

  /** Add a corner. */
  add(longitude, latitude) {
    this.#corners.push([longitude, latitude]);
    this.#show();
  }

  #show() {
    const count = this.#corners?.length ?? 0;
    this.root.classList.toggle("is-drawing", this.isDrawing);
    this.root.querySelector(".area-draw").disabled = this.isDrawing && count < FEWEST;
    this.actions.changed(this.#corners ?? []);
  }

  finish() {
    if ((this.#corners?.length ?? 0) < FEWEST) return;
    const corners = this.#corners;
    this.#corners = null;
    this.#show();
    this.actions.done(corners);
  }

  cancel() {
    this.#corners = null;
    this.#show();
    this.actions.done(null);
  }
}

/**
 * Read corners that were typed, 'longitude latitude; longitude latitude; ...'.
 * @returns {?number[][]} null if they are none
 */
export function typedCorners(text) {
  const corners = text.split(";").map((corner) =>
    corner
      .trim()
      .split(/[\s,]+/)
      .map(Number),
  );
  const isFine =
    corners.length >= FEWEST && corners.every((corner) => corner.length === 2 && corner.every(Number.isFinite));
  return isFine ? corners : null;
}
