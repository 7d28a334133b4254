// What a page does without being loaded again: a run under way is followed, keys move through pages, forms are sent once.
"use strict";
(() => {
  const live = document.getElementById("live");
  if (live) {
    const show = (name, write) => live.querySelectorAll(`[data-field="${name}"]`).forEach(write);
    const source = new EventSource(live.dataset.live);
    source.onmessage = (event) => {
      const told = JSON.parse(event.data);
      for (const name of ["done", "wanted", "rate", "left", "cost", "last", "outcomes"]) {
        show(name, (node) => { if (node.textContent !== told[name]) node.textContent = told[name]; });
      }
      show("progress", (node) => { node.value = told.progress; });
      show("stalled", (node) => { node.hidden = !told.stalled; });
      show("errors", (node) => {
        if (!told.errors.length) return;
        node.replaceChildren(...told.errors.map((text) => {
          const item = document.createElement("li");
          item.textContent = text;
          return item;
        }));
      });
    };
    source.addEventListener("end", () => { source.close(); window.location.reload(); });
    window.addEventListener("pagehide", () => source.close());
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, pre")) return;
    const to = { "/": 'input[type="search"]', ArrowLeft: '[rel="prev"]', ArrowRight: '[rel="next"]' }[event.key];
    const target = to && document.querySelector(to);
    if (!target) return;
    event.preventDefault();
    if (event.key === "/") target.focus(); else target.click();
  });
  document.querySelectorAll("form.filter select").forEach((select) => {
    select.addEventListener("change", () => select.form.requestSubmit());
  });
  document.querySelectorAll('form[method="post"]').forEach((form) => {
    form.addEventListener("submit", () => form.querySelectorAll("button").forEach((button) => { button.setAttribute("aria-disabled", "true"); }));
  });
})();
