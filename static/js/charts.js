// Draws the figures of a page. A figure is a JSON script element that a [data-chart] element names. Its colours are
// names of design tokens ("--ink"); they are looked up here, so light, dark and print share one figure.
(() => {
  "use strict";

  const probe = document.createElement("i");
  const pixel = Object.assign(document.createElement("canvas"), { width: 1, height: 1 })
    .getContext("2d", { willReadFrequently: true });

  // Plotly reads rgb only; one painted pixel turns any colour the browser knows (oklch, light-dark) into it.
  function colour(name) {
    probe.style.color = `var(${name})`;
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = getComputedStyle(probe).color;
    pixel.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = pixel.getImageData(0, 0, 1, 1).data;
    return `rgba(${red},${green},${blue},${alpha / 255})`;
  }

  function painted(part, known) {
    if (typeof part === "string") return part.startsWith("--") ? (known[part] ??= colour(part)) : part;
    if (Array.isArray(part)) return part.map((item) => painted(item, known));
    if (part && typeof part === "object") {
      return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, painted(item, known)]));
    }
    return part;
  }

  const instant = (text) => Date.parse(`${text.replace(" ", "T")}Z`);

  // In a week of 900 px an outage of eleven minutes is one pixel wide. Bars that ask for it get a floor;
  // the text on them keeps the true length.
  function fit(width, { data, layout }) {
    const { min_px: floor, narrow_range: range, narrow_ticks: ticks } = layout.meta ?? {};
    if (width < 560 && range) layout.xaxis.range = range;
    if (width < 440 && ticks) Object.assign(layout.xaxis, ticks);
    if (width < 440) layout.annotations = (layout.annotations ?? []).filter((note) => note.name !== "wide");
    if (!floor) return;
    const [from, to] = layout.xaxis.range.map(instant);
    const least = ((to - from) / (width - layout.margin.l - layout.margin.r)) * floor;
    for (const trace of data) {
      if (trace.meta === "floor") trace.x = trace.x.map((length) => Math.max(length, least));
    }
  }

  function draw(root = document) {
    const places = root.querySelectorAll("[data-chart]");
    if (!places.length || !window.Plotly) return;
    document.body.append(probe);
    const known = {};
    const family = getComputedStyle(document.body).fontFamily;
    for (const place of places) {
      const source = document.getElementById(place.dataset.chart);
      if (!source) continue;
      const figure = painted(JSON.parse(source.textContent), known);
      fit(place.clientWidth, figure);
      Object.assign(figure.layout, {
        autosize: true,
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        font: { family, size: 12, color: (known["--ink-2"] ??= colour("--ink-2")) },
        hoverlabel: {
          align: "left",
          bgcolor: (known["--ink"] ??= colour("--ink")),
          bordercolor: known["--ink"],
          font: { family, size: 12.5, color: (known["--paper"] ??= colour("--paper")) },
        },
      });
      window.Plotly.react(place, figure.data, figure.layout,
        { displayModeBar: false, doubleClick: false, responsive: true, scrollZoom: false });
    }
    probe.remove();
  }

  draw();
  for (const query of ["(prefers-color-scheme: dark)", "(max-width: 44rem)", "print"]) {
    matchMedia(query).addEventListener("change", () => draw());
  }
  new MutationObserver(() => draw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  document.addEventListener("htmx:afterSettle", (event) => draw(event.target));
})();
