// What a page does without being loaded again: a run under way is followed, / leads to the search, and a form is
// sent once.
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
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.closest("input, select, textarea")) return;
    const search = document.querySelector('input[type="search"]');
    if (!search) return;
    event.preventDefault();
    search.focus();
  });
  document.querySelectorAll('form[method="post"]').forEach((form) => {
    let sent = false;
    form.addEventListener("submit", (event) => {
      if (sent) event.preventDefault();
      sent = true;
    });
  });
})();
