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

  // News of an open incident never takes away what somebody is reading or typing.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const place = event.detail.target;
    if (place?.contains(document.activeElement) || place?.querySelector("details[open]")) event.detail.shouldSwap = false;
  });

  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent);
  const inside = (row) => row.matches("a, button") ? row : row.querySelector("a, button, summary");

  function move(step) {
    const all = rows();
    const here = all.findIndex((row) => row.contains(document.activeElement));
    const next = all[here < 0 ? 0 : Math.min(all.length - 1, Math.max(0, here + step))];
    if (next) inside(next)?.focus();
  }

  let isGoing = false; // g was pressed: a number comes next
  function go(number) {
    isGoing = false;
    document.querySelectorAll(".rail nav li:not(.narrow) a")[number - 1]?.click();
  }

  const keys = {
    "/": () => document.querySelector("input[type=search]")?.focus(),
    j: () => move(1),
    k: () => move(-1),
    g: () => { isGoing = true; setTimeout(() => { isGoing = false; }, 1500); },
  };

  // Single keys can be switched off (WCAG 2.1.4), on this device.
  const areOn = () => localStorage.getItem("keys") !== "off";
  const list = document.getElementById("keys-here");
  const box = document.getElementById("keys-on");
  if (box) {
    box.checked = areOn();
    box.addEventListener("change", () => localStorage.setItem("keys", box.checked ? "on" : "off"));
    for (const named of document.querySelectorAll("[data-key]:not([data-key='?'])")) {
      const [term, words, key] = ["dt", "dd", "kbd"].map((name) => document.createElement(name));
      key.textContent = named.dataset.key;
      term.append(key);
      const label = named.labels?.[0] ?? named;
      words.textContent = label.textContent.replace(/\s+\S$/, "").trim() || named.dataset.key;
      list.append(term, words);
    }
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !areOn()) return;
    if (event.target.closest("input, textarea, select, dialog, [contenteditable]")) return;
    if (isGoing && /^[1-9]$/.test(event.key)) { event.preventDefault(); go(Number(event.key)); return; }
    const named = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!keys[event.key] && !named) return;
    event.preventDefault();
    if (named) { named.focus(); named.click(); } else keys[event.key]();
  });
})();
