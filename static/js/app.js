// Small comforts. Every page can be read, and every form sent, without this file.
(() => {
  "use strict";

  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    const label = button.querySelector("span");
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
      label.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source); // no clipboard without TLS: leave it selected, ready for Ctrl-C
      label.textContent = "Press Ctrl-C";
    }
    setTimeout(() => { label.textContent = "Copy"; }, 1600);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-dialog], [data-close], [data-print]");
    if (!button) return;
    if ("copy" in button.dataset) copy(button);
    else if ("dialog" in button.dataset) document.getElementById(button.dataset.dialog)?.showModal();
    else if ("print" in button.dataset) print();
    else button.closest("dialog")?.close();
  });

  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent);
  const inside = (row) => row.matches("a, button") ? row : row.querySelector("a, button, summary");

  function move(step) {
    const all = rows();
    const here = all.findIndex((row) => row.contains(document.activeElement));
    const next = all[here < 0 ? 0 : Math.min(all.length - 1, Math.max(0, here + step))];
    if (next) inside(next)?.focus();
  }

  const keys = {
    "/": () => document.querySelector("input[type=search]")?.focus(),
    j: () => move(1),
    k: () => move(-1),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, dialog, [contenteditable]")) return;
    const named = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!keys[event.key] && !named) return;
    event.preventDefault();
    if (named) { named.focus(); named.click(); } else keys[event.key]();
  });
})();
