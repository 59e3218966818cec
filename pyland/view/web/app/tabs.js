/**
 * Panels of which one is seen, after the pattern "tabs" of the ARIA Authoring Practices Guide.
 */
export class Tabs {
  /**
   * @param {HTMLElement} root holds buttons with role tab, each with the id of its panel in aria-controls
   * @param {function(string): void} chosen gets data-panel of the tab
   */
  constructor(root, chosen) {
    this.tabs = [...root.querySelectorAll("[role=tab]")];
    for (const tab of this.tabs) {
      tab.addEventListener("click", () => chosen(tab.dataset.panel));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!step) return;
        const seen = this.tabs.filter((one) => !one.hidden);
        const next = seen[(seen.indexOf(tab) + step + seen.length) % seen.length];
        next.focus();
        chosen(next.dataset.panel);
        event.preventDefault();
      });
    }
  }

  /** Show one panel; the first if there is none of that name. */
  show(name) {
    const seen = this.tabs.filter((one) => !one.hidden);
    const shown = seen.find((one) => one.dataset.panel === name) ?? seen[0];
    for (const tab of this.tabs) {
      const isShown = tab === shown;
      tab.setAttribute("aria-selected", String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !isShown;
    }
  }
}
