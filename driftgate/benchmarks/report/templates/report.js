(async () => {
  "use strict";
  // Plotly is packed: it takes 1.8 MB of the page and not 4.6. The policy of the page knows its text by its hash.
  const packed = Uint8Array.from(atob(document.getElementById("plotly").textContent), (c) => c.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const library = document.createElement("script");
  library.textContent = await new Response(unpacked).text();
  document.head.append(library);

  const NARROW = 560;
  const plots = [...document.querySelectorAll(".plot")];
  const specs = new Map(plots.map((plot) => [plot, JSON.parse(plot.nextElementSibling.textContent)]));

  // Colours are names ("@grid"); the style sheet gives them their values for light and dark.
  function coloured(value, style, key) {
    if (Array.isArray(value)) return value.map((item) => coloured(item, style, key));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([k, item]) => [k, coloured(item, style, k)]));
    }
    const isName = typeof value === "string" && value[0] === "@" && /color$/.test(key);
    return isName ? style.getPropertyValue("--" + value.slice(1)).trim() : value;
  }

  function draw(plot, width) {
    const { data, layout, narrow } = specs.get(plot);
    const style = getComputedStyle(document.documentElement);
    const shown = { ...layout, font: { ...layout.font, family: getComputedStyle(document.body).fontFamily } };
    if ((width || plot.clientWidth) < NARROW) {
      for (const [axis, change] of Object.entries(narrow)) shown[axis] = { ...shown[axis], ...change };
    }
    if (width) shown.width = width;
    const config = { responsive: !width, displaylogo: false, displayModeBar: false, showTips: false };
    return Plotly.react(plot, coloured(data, style, ""), coloured(shown, style, ""), config);
  }

  const drawAll = (width) => plots.forEach((plot) => draw(plot, width));
  let narrow = innerWidth < NARROW;
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll());
  addEventListener("resize", () => {
    if (narrow !== innerWidth < NARROW) {
      narrow = !narrow;
      drawAll();
    }
  });
  // Paper is light: colours are read while the window still is what the media queries describe.
  const print = (on) => {
    document.documentElement.classList.toggle("printing", on);
    drawAll(on ? 660 : undefined);
  };
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
})();
