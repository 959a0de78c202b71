(() => {
  "use strict";
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const charts = Array.from(document.querySelectorAll(".chart"));
  const waiting = new Set(charts);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let printing = false;

  const ink = () => (dark.matches && !printing ? "#b9c2ce" : "#4a5462");

  function draw(chart) {
    if (!waiting.has(chart) || !window.Plotly || chart.clientWidth === 0) return;
    waiting.delete(chart);
    const figure = figures[chart.dataset.figure];
    figure.layout.font.color = ink();
    figure.layout.width = chart.clientWidth;
    figure.layout.hoverlabel = { align: "left" };
    window.Plotly.newPlot(chart, figure.data, figure.layout, { displayModeBar: false, responsive: false });
  }

  function refit(chart) {
    if (waiting.has(chart) || chart.clientWidth === 0) return;
    window.Plotly.relayout(chart, { width: chart.clientWidth, "font.color": ink() });
  }

  const seen = new IntersectionObserver(
    (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => draw(entry.target)),
    { rootMargin: "700px" },
  );

  async function load() {
    const packed = document.getElementById("plotly");
    const bytes = Uint8Array.from(atob(packed.textContent.trim()), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    packed.remove();
    document.head.append(script);
    if (!window.Plotly) throw new Error("the chart library did not start");
    charts.forEach((chart) => seen.observe(chart));
    const rest = () => {
      const next = charts.find((chart) => waiting.has(chart) && chart.clientWidth > 0);
      if (next === undefined) return;
      draw(next);
      later(rest);
    };
    later(rest);
  }

  const later = (task) => (window.requestIdleCallback ? window.requestIdleCallback(task) : window.setTimeout(task, 60));

  charts.forEach((chart) => { chart.style.minHeight = `${figures[chart.dataset.figure].layout.height}px`; });
  load().catch((error) => {
    const trouble = document.getElementById("trouble");
    trouble.style.display = "block";
    trouble.textContent = `The charts cannot be drawn in this browser (${error.message}); a current one is needed. All tables are complete.`;
  });

  const folded = () => Array.from(document.querySelectorAll("details"));
  let closed = [];
  window.addEventListener("beforeprint", () => {
    printing = true;
    document.body.classList.add("printing");
    closed = folded().filter((part) => !part.open);
    closed.forEach((part) => { part.open = true; });
    charts.forEach((chart) => (waiting.has(chart) ? draw(chart) : refit(chart)));
  });
  window.addEventListener("afterprint", () => {
    printing = false;
    document.body.classList.remove("printing");
    closed.forEach((part) => { part.open = false; });
    charts.forEach(refit);
  });
  dark.addEventListener("change", () => charts.forEach(refit));
  let pause = 0;
  window.addEventListener("resize", () => {
    if (printing) return;
    window.clearTimeout(pause);
    pause = window.setTimeout(() => charts.forEach(refit), 150);
  });
})();
