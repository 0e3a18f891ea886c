// The charts of an exported session: the data are in #data, drawn by Plotly, which stands above in this page.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  const colors = dark ? data.dark : data.light;
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink").trim();
  const line = style.getPropertyValue("--line").trim();
  const bad = style.getPropertyValue("--bad").trim();
  const charts = [];
  let axis = data.axis;
  let log = false;
  let linking = false;

  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200];

  // 12m30s, 1h20m, 3d4h: two neighbouring units, as everywhere in floydtop.
  function duration(seconds) {
    if (seconds < 0) return "-" + duration(-seconds);
    if (seconds < 60) return +seconds.toFixed(2) + "s";
    const units = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];
    const first = units.findIndex(([, size]) => Math.round(seconds) >= size);
    const [large, size] = units[first];
    const [small, part] = units[first + 1];
    const rest = Math.round((seconds % size) / part);
    return Math.floor(seconds / size) + large + (rest ? rest + small : "");
  }

  function timeTicks(low, high) {
    const wanted = (high - low) / 6;
    let step = STEPS.find((one) => one >= wanted);
    if (step === undefined) step = 86400 * Math.ceil(wanted / 86400);
    if (wanted < 0.5) step = Math.pow(10, Math.ceil(Math.log10(wanted || 1)));
    const ticks = [];
    for (let tick = Math.ceil(low / step) * step; tick <= high && ticks.length < 50; tick += step) ticks.push(tick);
    return { tickvals: ticks, ticktext: ticks.map(duration) };
  }

  // On the step axis a resumed run goes back: that is a new stroke, not a line across the chart.
  function stroked(xs, ys) {
    const x = [], y = [];
    let before = -Infinity;
    xs.forEach((place, index) => {
      if (place === null) return;
      if (place < before) { x.push(null); y.push(null); }
      before = place;
      x.push(place);
      y.push(ys[index]);
    });
    return { x, y };
  }

  function traces(panel) {
    const drawn = [];
    panel.series.forEach((series, index) => {
      const xs = series[axis];
      if (!xs) return;
      const color = colors[index % colors.length];
      if (series.low) {
        const low = stroked(xs, series.low), high = stroked(xs, series.high);
        const edge = { mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false };
        drawn.push({ ...low, ...edge });
        drawn.push({ ...high, ...edge, fill: "tonexty", fillcolor: color + "40" });
      }
      const few = xs.length < 30;
      drawn.push({
        ...stroked(xs, series.values), name: series.name, mode: few ? "lines+markers" : "lines",
        line: { color, width: 1.6, dash: ["solid", "dash", "dot", "dashdot"][Math.floor(index / colors.length) % 4] },
        marker: { size: 4, color },
      });
      if (series.bad.length) {
        const finite = series.values.filter((value) => value !== null);
        const floor = finite.length ? finite.reduce((a, b) => Math.min(a, b)) : 1;
        drawn.push({
          x: series.bad.map((place) => xs[place]), y: series.bad.map(() => floor),
          name: "NaN or infinite", mode: "markers", marker: { symbol: "x", size: 8, color: bad },
          cliponaxis: false, showlegend: false,
        });
      }
    });
    return drawn;
  }

  // What the charts of one count share: on the step axis epochs and steps are two.
  function count(panel) {
    return axis === "step" ? panel.count : axis;
  }

  function extent(of) {
    let low = Infinity, high = -Infinity;
    for (const panel of data.panels) for (const series of panel.series) for (const x of series[axis] || []) {
      if (x === null || count(panel) !== of) continue;
      if (x < low) low = x;
      if (x > high) high = x;
    }
    if (low < high) return [low, high];
    return isFinite(low) ? [low - 1, low + 1] : [0, 1];
  }

  function xaxis(range, panel) {
    const title = { text: axis === "step" ? panel.count : "", standoff: 4 };
    const shared = { title, range, gridcolor: line, zeroline: false, hoverformat: axis === "step" ? ",d" : ".1f" };
    if (axis === "time") return { ...shared, tickmode: "array", ...timeTicks(...range), ticksuffix: "" };
    return { ...shared, tickformat: "~s", nticks: 6 };
  }

  function yaxis(panel) {
    const shared = { gridcolor: line, zeroline: false, type: log ? "log" : "linear", exponentformat: "SI" };
    if (panel.unit === "percent" && !log) return { ...shared, range: [0, 100], ticksuffix: "%" };
    if (panel.unit === "bytes") return { ...shared, rangemode: "tozero", tickformat: "~s", ticksuffix: "B" };
    if (panel.unit === "rate") return { ...shared, rangemode: "tozero", tickformat: "~s", ticksuffix: "B/s" };
    return shared;
  }

  function draw() {
    for (const chart of charts) {
      const empty = chart.panel.series.every((series) => !series[axis]);
      const layout = {
        margin: { l: 52, r: 10, t: 8, b: axis === "step" ? 40 : 34 }, paper_bgcolor: "transparent", plot_bgcolor: "transparent",
        font: { color: ink, size: 11 }, hovermode: "x unified", dragmode: "zoom",
        showlegend: chart.panel.series.length > 1, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, traceorder: "normal" },
        hoverlabel: { bgcolor: style.getPropertyValue("--card").trim(), font: { color: ink } },
        xaxis: xaxis(extent(count(chart.panel)), chart.panel), yaxis: yaxis(chart.panel),
        annotations: empty ? [{ text: "no " + axis + " known", showarrow: false, xref: "paper", yref: "paper", x: .5, y: .5 }] : [],
      };
      Plotly.react(chart.element, traces(chart.panel), layout, { responsive: true, displaylogo: false, displayModeBar: false });
    }
    for (const button of document.querySelectorAll("nav button[data-axis]"))
      button.setAttribute("aria-pressed", String(button.dataset.axis === axis));
  }

  // A zoom in one chart is a zoom in all of them: the same range, or of another count the same share.
  function link(change, zoomed) {
    if (linking) return;
    let range = null;
    if (change["xaxis.range[0]"] !== undefined) range = [change["xaxis.range[0]"], change["xaxis.range[1]"]].map(Number);
    else if (Array.isArray(change["xaxis.range"])) range = change["xaxis.range"].map(Number);
    else if (!change["xaxis.autorange"]) return;
    const [low, high] = extent(count(zoomed));
    linking = true;
    Promise.all(charts.map((chart) => {
      const [from, to] = extent(count(chart.panel));
      const same = count(chart.panel) === count(zoomed);
      const moved = range === null ? [from, to]
        : same ? range : range.map((x) => from + (x - low) / (high - low) * (to - from));
      const layout = { "xaxis.range": moved, "xaxis.autorange": false };
      if (axis === "time") {
        const ticks = timeTicks(...moved);
        layout["xaxis.tickvals"] = ticks.tickvals;
        layout["xaxis.ticktext"] = ticks.ticktext;
      }
      return Plotly.relayout(chart.element, layout);
    })).finally(() => { linking = false; });
  }

  const panels = document.getElementById("panels");
  for (const panel of data.panels) {
    const section = document.createElement("section");
    section.className = "panel";
    const title = document.createElement("h2");
    title.textContent = panel.title;
    const note = document.createElement("small");
    note.textContent = panel.note ? "  " + panel.note : "";
    title.append(note);
    const element = document.createElement("div");
    element.className = "chart";
    section.append(title, element);
    panels.append(section);
    charts.push({ element, panel });
  }
  draw();
  for (const chart of charts) chart.element.on("plotly_relayout", (change) => link(change, chart.panel));

  for (const button of document.querySelectorAll("nav button[data-axis]"))
    button.addEventListener("click", () => { axis = button.dataset.axis; draw(); });
  document.getElementById("log").addEventListener("click", (event) => {
    log = !log;
    event.currentTarget.setAttribute("aria-pressed", String(log));
    draw();
  });
  document.getElementById("all").addEventListener("click", () => link({ "xaxis.autorange": true }, data.panels[0]));
  document.documentElement.dataset.drawn = String(charts.length);
})();
