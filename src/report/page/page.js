"use strict";
// Draws what the page's data say. Charts are echarts'; all else is plain HTML.

const data = JSON.parse(document.getElementById("data").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
const several = data.runs.length > 1;
/** More rows than this are in the CSV file only. */
const ROWS_SHOWN_MAX = 200;
/** More peers than this are drawn without their names, and than that all at once. */
const NAMED_MAX = 60;
const SINGLE_MAX = 3000;

// Colours that differ in lightness too; dashes and symbols tell them apart in grey.
const COLOURS = {
  light: ["#0b62a8", "#d9600f", "#2a8f63", "#9c3f8f", "#c49a00", "#4fa9d6", "#6e4a2e", "#7d8691"],
  dark: ["#63aef2", "#f39355", "#5cc795", "#d58acb", "#e6c34a", "#a3d9f5", "#c9a184", "#aab3bd"],
};
const DASHES = ["solid", [7, 4], [2, 3], [9, 3, 2, 3], [14, 4], [4, 2], [1, 4], [10, 2, 2, 2, 2, 2]];
const SYMBOLS = ["circle", "rect", "triangle", "diamond", "roundRect", "pin", "arrow", "circle"];
const HEAT = ["#440154", "#472c7a", "#3b518b", "#2c718e", "#21908d", "#27ad81", "#5cc863", "#aadc32", "#fde725"];

function look() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return {
    paper: of("--paper"), ink: of("--ink"), soft: of("--soft"), rule: of("--rule"), wash: of("--wash"),
    colours: dark.matches ? COLOURS.dark : COLOURS.light,
  };
}
const turn = (list, place) => list[place % list.length];

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made && key !== "list") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function number(value) {
  if (value === null || value === undefined) return "–";
  const digits = value !== 0 && Math.abs(value) < 1 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 2 };
  return value.toLocaleString("en", digits);
}
const withUnit = (value, axis) => (axis.unit ? `${number(value)} ${axis.unit}` : number(value));

/** Numbers from their distances. */
function summed(distances) {
  let value = 0;
  return distances.map((distance) => (value += distance));
}

const isDrawn = (chart) => chart.body.kind !== "missing";

// ---- Head -------------------------------------------------------------------------------------

function head() {
  const [first] = data.runs;
  const title = several ? `${data.runs.length} runs` : first.label;
  const cards = data.runs.map((run) => {
    const facts = run.facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
    return element("div", { className: "card" },
      several ? element("h3", {}, run.label) : null,
      element("dl", {}, ...facts),
      run.interrupted ? element("p", { className: "notice" }, run.interrupted) : null,
      run.yaml ? element("details", {}, element("summary", {}, "The scenario, all defaults filled in"),
        element("pre", {}, run.yaml)) : null);
  });
  const links = [["summary", "Summary"], ...data.charts.filter(isDrawn).map((chart) => [chart.id, chart.title])];
  document.getElementById("head").append(
    element("p", { className: "eyebrow" }, "p2psim report"),
    element("h1", {}, title),
    element("div", { className: "cards" }, ...cards),
    element("nav", { "aria-label": "Charts" },
      ...links.map(([id, name]) => element("a", { href: `#${id}` }, name))));
  document.getElementById("foot").append(
    `Made by p2psim ${data.version}. Figures of charts are rounded to six digits, and long series thinned; ` +
    "the exact ones are in the tables of the run's folder.");
}

function summary() {
  const rows = data.summary;
  const cells = (row) => [
    element("th", { scope: "row" }, row.name),
    element("td", {}, row.shown[0]),
    ...row.differences.flatMap((difference, place) => [
      element("td", {}, row.shown[place + 1]),
      element("td", { className: "difference" }, difference),
    ])];
  const table = (of) => element("table", { className: "summary" },
    several ? element("thead", {}, element("tr", {}, element("th", {}, ""),
      ...data.runs.flatMap((run, place) => [
        element("th", { scope: "col" }, run.label),
        ...(place > 0 ? [element("th", { scope: "col" }, `beside ${data.runs[0].label}`)] : []),
      ]))) : "",
    element("tbody", {}, ...of.map((row) => element("tr", {}, ...cells(row)))));
  const csv = () => [["figure", ...data.runs.map((run) => run.label)], ...rows.map((row) => [row.name, ...row.values])];
  const half = Math.ceil(rows.length / 2);
  const body = several
    ? element("div", { className: "wide" }, table(rows))
    : element("div", { className: "cards" }, table(rows.slice(0, half)), table(rows.slice(half)));
  return element("section", { id: "summary" }, element("h2", {}, "Summary"), body,
    element("div", { className: "tools" }, button("Save CSV", () => download("summary.csv", asCsv(csv())))));
}

// ---- Tables and downloads ---------------------------------------------------------------------

function button(text, action) {
  return element("button", { type: "button", onclick: action }, text);
}

function asCsv(rows) {
  const cell = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => row.map(cell).join(",")).join("\n") + "\n";
}

function download(name, content) {
  const url = content.startsWith("data:") ? content : URL.createObjectURL(new Blob([content], { type: "text/csv" }));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** The rows of views: a series' points one below the other. */
function viewRows(views, kind) {
  const named = views.length > 1;
  const all = views.flatMap((view) => view.series);
  const cells = all.some((series) => series.shape === "cells");
  const banded = all.some((series) => series.low.length > 0);
  const [{ x, y }] = views;
  // Units may differ from view to view; then the views' names say what is measured.
  const column = views.every((view) => view.y.column === y.column) ? y.column : "value";
  const header = [...(named ? [kind] : []), "series", ...(cells ? [`${x.column}_from`, `${x.column}_to`] : [x.column]), column];
  if (column === "value") header.push("measure");
  if (banded) header.push(`${column}_low`, `${column}_high`);
  const rows = [header];
  for (const view of views) {
    for (const series of view.series) {
      series.y.forEach((value, place) => {
        const row = named ? [view.name, series.name] : [series.name];
        if (view.categories.length > 0) row.push(view.categories[place]);
        else if (series.shape === "cells") row.push(series.x[place], series.x[place + 1]);
        else if (cells) row.push(series.x[place], series.x[place]);
        else row.push(series.x[place]);
        row.push(value);
        if (column === "value") row.push(view.y.column);
        if (banded) row.push(series.low[place], series.high[place]);
        rows.push(row);
      });
    }
  }
  return rows;
}

function mapRows(maps) {
  const rows = [["run", "messages", "peers", "mean_delay_ms", "received_percent"]];
  for (const map of maps) {
    map.delays_ms.forEach((delay, place) => {
      const row = Math.floor(place / map.columns.length);
      rows.push([map.name, map.rows[row], map.columns[place % map.columns.length], delay, map.received[place]]);
    });
  }
  return rows;
}

/** The figures of a chart as a table to look at and to download. */
function tools(chart, rowsOf, drawn, hint = "Drag to zoom, double-click to go back") {
  const place = element("div", { className: "rows", hidden: true, tabIndex: 0 });
  const toggle = button("Table", () => {
    place.hidden = !place.hidden;
    toggle.setAttribute("aria-expanded", String(!place.hidden));
    if (place.hidden) return;
    const [header, ...rows] = rowsOf();
    const shown = rows.slice(0, ROWS_SHOWN_MAX);
    const line = (cells, name) => element("tr", {}, ...cells.map((cell) =>
      element(name, {}, typeof cell === "number" ? number(cell) : cell ?? "–")));
    const more = rows.length - shown.length;
    place.replaceChildren(
      element("table", {}, element("thead", {}, line(header, "th")),
        element("tbody", {}, ...shown.map((row) => line(row, "td")))),
      more > 0 ? element("p", { className: "about" }, `${number(more)} more rows are in the CSV file.`) : "");
  });
  toggle.setAttribute("aria-expanded", "false");
  const bar = element("div", { className: "tools" }, toggle,
    button("Save CSV", () => download(`${chart.id}.csv`, asCsv(rowsOf()))));
  if (drawn) {
    bar.append(button("Save PNG", () => {
      const url = drawn().getDataURL({ pixelRatio: 2, backgroundColor: look().paper });
      download(`${chart.id}.png`, url);
    }));
  }
  bar.append(element("span", { className: "hint" }, hint));
  return [bar, place];
}

// ---- Charts -----------------------------------------------------------------------------------

/** All that are drawn, to be drawn anew in other colours. */
const drawings = [];

/** Draws into `place` what `option` makes of the colours, and again when they change. */
function draw(place, option, after = () => {}) {
  const chart = echarts.init(place, null, { renderer: "canvas" });
  const renew = () => {
    chart.setOption(option(look()), { notMerge: true });
    after(chart);
  };
  renew();
  drawings.push({ chart, place, renew });
  return { chart, renew };
}

/** Dragging zooms, a double click goes back. */
function zoomable(chart) {
  chart.dispatchAction({ type: "takeGlobalCursor", key: "dataZoomSelect", dataZoomSelectActive: true });
  if (chart.resets) return;
  chart.resets = true;
  chart.getZr().on("dblclick", () => {
    for (const dataZoomIndex of [0, 1]) chart.dispatchAction({ type: "dataZoom", dataZoomIndex, start: 0, end: 100 });
  });
}

function base(colours) {
  return {
    animation: false,
    backgroundColor: "transparent",
    color: colours.colours,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: colours.ink },
    aria: { enabled: true, label: { enabled: false } },
    tooltip: {
      backgroundColor: colours.paper, borderColor: colours.rule, borderWidth: 1, padding: [6, 10],
      textStyle: { color: colours.ink, fontSize: 13 }, extraCssText: "box-shadow: 0 2px 8px rgba(0,0,0,.15)",
      confine: true,
    },
  };
}

function axis(colours, of, more = {}) {
  return {
    type: "value", scale: false, name: of ? title(of) : "", nameTextStyle: { color: colours.soft, fontSize: 12.5 },
    axisLine: { show: true, lineStyle: { color: colours.soft } },
    axisTick: { show: false, lineStyle: { color: colours.soft } },
    axisLabel: { color: colours.soft, fontSize: 12 },
    splitLine: { show: false, lineStyle: { color: colours.rule } },
    ...more,
  };
}

function title({ label, unit }) {
  if (!unit) return label;
  return unit === "%" ? `${label} (%)` : `${label} in ${unit}`;
}

/** Ends of an axis are where the data end: only round ones are labelled. */
const shortLabel = (value) => (Number(value.toPrecision(3)) === value ? value.toLocaleString("en", { maximumFractionDigits: 6 }) : "");

const text = (words) => echarts.format.encodeHTML(String(words));
const dot = (colour) => `<span style="display:inline-block;width:9px;height:9px;border-radius:2px;margin-right:7px;background:${colour}"></span>`;
const line = (colour, name, value) =>
   `<div style="display:flex;justify-content:space-between;gap:22px"><span>${colour ? dot(colour) : ""}${text(name)}</span><b style="font-weight:600">${text(value)}</b></div>`;

/** One series as echarts has it; a band is a shape of its own behind the line. */
function seriesOf(series, view, colours, small) {
  const colour = turn(colours.colours, series.colour);
  if (series.shape === "bars") {
    return [{
      type: "bar", name: series.name, data: series.y, stack: view.stacked ? "all" : undefined,
      itemStyle: { color: colour }, barMaxWidth: 28, barCategoryGap: view.lying ? "35%" : "12%", barGap: "0%",
    }];
  }
  const cells = series.shape === "cells";
  let points = series.y.map((value, place) => [series.x[place], value]);
  if (cells) points = [[series.x[0], 0], ...points, [series.x.at(-1), points.at(-1)[1]], [series.x.at(-1), 0]];
  const marked = view.series.length > 1 && !small;
  const step = Math.max(1, Math.floor(points.length / 9));
  const lines = [{
    type: "line", name: series.name, data: points, step: series.shape === "line" ? false : "end",
    symbol: turn(SYMBOLS, series.dash), showSymbol: marked, showAllSymbol: marked,
    symbolSize: (_, at) => (marked && (at.dataIndex + Math.floor(step * (series.dash + 1) / 4)) % step === 0 ? 7 : 0),
    lineStyle: { width: cells ? 1 : small ? 1.5 : 2, color: colour, type: turn(DASHES, series.dash) },
    itemStyle: { color: colour }, areaStyle: cells ? { color: colour, opacity: 0.28 } : undefined,
    emphasis: { disabled: true }, z: 3,
  }];
  if (series.low.length > 0) {
    const edge = [...series.x.map((x, place) => [x, series.high[place]]),
      ...series.x.map((x, place) => [x, series.low[place]]).reverse()];
    lines.push({
      type: "custom", name: series.name, clip: true, silent: true, z: 2, data: [[series.x[0], series.low[0]]],
      tooltip: { show: false }, itemStyle: { color: colour },
      renderItem: (_, api) => ({
        type: "polygon", shape: { points: edge.map((point) => api.coord(point)) },
        style: { fill: colour, opacity: 0.16 },
      }),
    });
  }
  return lines;
}

/** What has a place on a logarithmic axis. */
function positive(view) {
  const series = view.series.map((of) => {
    const kept = (list) => list.filter((_, place) => of.x[place] > 0);
    return { ...of, x: kept(of.x), y: kept(of.y), low: kept(of.low), high: kept(of.high) };
  });
  return { ...view, series };
}

function viewOption(given, colours, { small = false, log = false } = {}) {
  const view = log ? positive(given) : given;
  const bars = view.categories.length > 0;
  const named = view.series.length > 1 && !small;
  const series = view.series.flatMap((of) => seriesOf(of, view, colours, small));
  const xs = bars ? [] : view.series.flatMap((of) => of.x);
  const categories = { type: "category", data: view.categories, axisLabel: { color: colours.soft, fontSize: 12, hideOverlap: true } };
  const whole = view.series.every((of) => of.y.every(Number.isInteger));
  const value = axis(colours, view.y, {
    min: view.y.fit ? undefined : 0, scale: view.y.fit, minInterval: whole ? 1 : undefined, max: view.y.max ?? undefined, interval: view.y.max === 100 ? 25 : undefined, splitNumber: small ? 2 : 4,
    splitLine: { show: true, lineStyle: { color: colours.rule } }, axisLine: { show: false },
  });
  const along = bars
    ? axis(colours, view.x, categories)
    : axis(colours, view.x, {
      type: log ? "log" : "value", min: small || log || view.x.fit ? Math.min(...xs) : 0, max: Math.max(...xs), splitNumber: small ? 3 : 6,
      axisLabel: { color: colours.soft, fontSize: 12, hideOverlap: true, formatter: shortLabel },
    });
  const below = { nameLocation: "middle", nameGap: small ? 22 : 30 };
  const above = { nameLocation: "end", nameGap: 12, nameTextStyle: { align: "left", color: colours.soft, fontSize: 12.5 } };
  const [x, y] = view.lying
    ? [{ ...value, ...below }, { ...along, inverse: true, name: "" }]
    : [{ ...along, ...below }, { ...value, ...above, name: small ? "" : value.name }];
  const option = base(colours);
  option.aria.decal = { show: bars && view.series.length > 1 };
  return {
    ...option,
    grid: {
      left: 4, right: small ? 8 : 18, top: (small ? 4 : 8) + (named ? 32 : 0), bottom: small ? 4 : 6,
      outerBoundsMode: "same", outerBoundsContain: "all",
    },
    legend: named ? {
      type: "scroll", left: 0, right: 0, top: 0, itemWidth: 26, itemGap: 18, data: view.series.map((of) => of.name),
      textStyle: { color: colours.ink, fontSize: 13 }, pageTextStyle: { color: colours.soft },
      pageIconColor: colours.ink, pageIconInactiveColor: colours.rule,
    } : undefined,
    toolbox: { show: true, top: -100, feature: { dataZoom: { yAxisIndex: "none", brushStyle: { color: "rgba(120,140,170,.25)" } } } },
    dataZoom: [{ type: "inside", [view.lying ? "yAxisIndex" : "xAxisIndex"]: 0, filterMode: "none",
      zoomOnMouseWheel: "ctrl", moveOnMouseMove: false, moveOnMouseWheel: false }],
    xAxis: x, yAxis: y, series,
    tooltip: {
      ...option.tooltip, trigger: "axis", axisPointer: { type: bars ? "shadow" : "line", lineStyle: { color: colours.soft }, shadowStyle: { color: "rgba(120,140,170,.14)" } },
      formatter: (items) => tooltip(view, items.filter((item) => item.seriesType !== "custom"), colours),
    },
  };
}

function tooltip(view, items, colours) {
  if (items.length === 0) return "";
  const head = view.categories.length > 0
    ? [view.x.label, items[0].name].filter(Boolean).join(" ")
    : `${view.x.label} ${withUnit(items[0].value[0], view.x)}`;
  const rows = items.map((item) => {
    const series = view.series.find((of) => of.name === item.seriesName);
    const bars = series.shape === "bars";
    const value = bars ? item.value : item.value[1];
    const band = series.low.length > 0
      ? ` (${number(series.low[item.dataIndex])} to ${number(series.high[item.dataIndex])})` : "";
    return line(turn(colours.colours, series.colour), view.series.length > 1 ? series.name : view.y.label,
      withUnit(value, view.y) + band);
  });
  return `<div style="color:${colours.soft};margin-bottom:2px">${text(head)}</div>${rows.join("")}`;
}

function views(chart, section) {
  const place = canvas(chart.summary);
  const choice = element("select", {}, ...chart.body.parts.map((view) => element("option", {}, view.name)));
  const ratio = element("input", { type: "checkbox" });
  const scale = element("label", {}, ratio, " Logarithmic axis");
  const follow = () => {
    const { log } = chart.body.parts[choice.selectedIndex].x;
    ratio.checked = log === true;
    scale.style.display = log === null ? "none" : "";
  };
  follow();
  section.append(element("div", { className: "controls" },
    chart.body.parts.length > 1 ? element("label", {}, "Show ", choice) : null, scale), place);
  const option = (colours) => viewOption(chart.body.parts[choice.selectedIndex], colours, { log: ratio.checked });
  const { chart: drawn, renew } = draw(place, option, zoomable);
  choice.onchange = () => { follow(); renew(); };
  ratio.onchange = renew;
  section.append(...tools(chart, () => viewRows(chart.body.parts, "view"), () => drawn));
}

function canvas(summary, kind = "") {
  return element("div", { className: `canvas ${kind}`, role: "img", "aria-label": summary });
}

function panels(chart, section) {
  const grid = element("div", { className: "panels" });
  section.append(grid);
  for (const view of chart.body.parts) {
    const place = canvas(`${view.name}: ${view.note}`);
    grid.append(element("figure", { style: "margin:0" },
      element("figcaption", {}, element("h3", {}, view.name), element("code", { className: "law" }, view.note)), place));
    draw(place, (colours) => viewOption(view, colours, { small: true }), zoomable);
  }
  section.append(...tools(chart, () => viewRows(chart.body.parts, "pair"), null));
}

function heatmaps(chart, section) {
  let first = null;
  for (const map of chart.body.parts) {
    if (several) section.append(element("h3", { className: "mapname" }, map.name));
    const place = canvas(chart.summary, "map");
    section.append(place);
    const { chart: drawn } = draw(place, (colours) => heatOption(map, colours), zoomable);
    first ??= drawn;
  }
  section.append(...tools(chart, () => mapRows(chart.body.parts), several ? null : () => first));
}

function heatOption(map, colours) {
  const width = map.columns.length;
  const cells = [];
  const scaled = map.log ? (delay) => Math.log10(Math.max(delay, map.scale_low_ms)) : (delay) => delay;
  map.delays_ms.forEach((delay, place) => {
    if (delay !== null) cells.push([place % width, Math.floor(place / width), scaled(delay)]);
  });
  const option = base(colours);
  const names = (list, most) => ({
    type: "category", data: list, splitLine: { show: false }, axisLine: { show: false },
    axisLabel: {
      color: colours.soft, fontSize: 12, interval: Math.ceil(list.length / most) - 1,
      formatter: (name) => name.split(" to ")[0],
    },
  });
  return {
    ...option,
    grid: { left: 4, right: 96, top: 8, bottom: 6, outerBoundsMode: "same", outerBoundsContain: "all" },
    xAxis: axis(colours, { label: map.by_location ? "peer, location by location" : "peer" }, { ...names(map.columns, map.by_location ? 8 : 20), nameLocation: "middle", nameGap: 28 }),
    yAxis: axis(colours, { label: "message" }, {
      ...names(map.rows, 20), inverse: true, nameLocation: "start", nameGap: 10,
      nameTextStyle: { align: "left", color: colours.soft, fontSize: 12.5 },
    }),
    toolbox: { show: true, top: -100, feature: { dataZoom: {} } },
    dataZoom: [{ type: "inside", xAxisIndex: 0, zoomOnMouseWheel: "ctrl", moveOnMouseMove: false, moveOnMouseWheel: false },
      { type: "inside", yAxisIndex: 0, zoomOnMouseWheel: "ctrl", moveOnMouseMove: false, moveOnMouseWheel: false }],
    visualMap: {
      min: scaled(map.scale_low_ms), max: scaled(map.scale_ms), calculable: true, right: 0, top: "middle",
      itemHeight: 220, itemWidth: 14, precision: 3, text: ["ms", ""],
      formatter: (value) => Number((map.log ? 10 ** value : value).toPrecision(3)).toLocaleString("en"), textStyle: { color: colours.soft, fontSize: 12 }, inRange: { color: dark.matches ? HEAT.slice(2) : HEAT },
    },
    series: [{ type: "heatmap", data: cells, progressive: 0, itemStyle: { borderWidth: 0 }, emphasis: { itemStyle: { borderColor: colours.ink, borderWidth: 1 } } }],
    tooltip: {
      ...option.tooltip, trigger: "item",
      formatter: ({ value: [column, row] }) =>
        line(null, "message", map.rows[row]) + line(null, "peer", map.columns[column]) +
        line(null, "delay", `${number(map.delays_ms[row * width + column])} ms`) + line(null, "received", `${map.received[row * width + column]} %`),
    },
  };
}

function table(chart, section) {
  const rows = chart.body.parts;
  const labels = data.runs.map((run) => run.label);
  const head = ["name", "peer type", ...labels.flatMap((label, place) => (place > 0 ? [label, `beside ${labels[0]}`] : [label]))];
  const line = ({ names: [name, of], shown, differences }) => element("tr", {},
    element("th", { scope: "row" }, name), element("th", { scope: "row", className: "text" }, of), element("td", {}, shown[0]),
    ...differences.flatMap((difference, place) => [
      element("td", {}, shown[place + 1]), element("td", { className: "difference" }, difference)]));
  const more = rows.length - ROWS_SHOWN_MAX;
  section.append(element("div", { className: "wide" }, element("table", { className: "summary" },
    element("thead", {}, element("tr", {}, ...head.map((name, place) => element("th", { scope: "col", className: place === 1 ? "text" : "" }, name)))),
    element("tbody", {}, ...rows.slice(0, ROWS_SHOWN_MAX).map(line)))),
  element("p", { className: "about", hidden: more <= 0 }, `${number(more)} more rows are in the CSV file.`),
  element("div", { className: "tools" }, button("Save CSV", () => download(`${chart.id}.csv`,
    asCsv([["name", "peer_type", ...(several ? labels : ["count"])], ...rows.map(({ names, values }) => [...names, ...values])])))));
}

// ---- The topology -----------------------------------------------------------------------------

function networks(chart, section) {
  for (const network of chart.body.parts) {
    if (several) section.append(element("h3", { className: "mapname" }, network.name));
    networkOf(chart, network, section);
  }
}

function networkOf(chart, network, section) {
  const source = summed(network.source);
  const offline = new Set(summed(network.offline));
  // Which links each frame has.
  const present = [];
  let now = new Set();
  for (const frame of network.frames) {
    now = new Set(now);
    for (const link of summed(frame.removed)) now.delete(link);
    for (const link of summed(frame.added)) now.add(link);
    present.push(now);
  }
  let shown = network.frames.length - 1;
  let grouping = 0;
  const place = canvas(chart.summary, "network");
  const option = (colours) => networkOption(network, source, present[shown],
    shown === network.frames.length - 1 ? offline : new Set(), network.groupings[grouping], colours, place);
  const controls = element("div", { className: "controls" });
  section.append(controls, place);
  const { chart: drawn, renew } = draw(place, option);
  if (network.frames.length > 1) {
    const said = element("output", {});
    const say = () => {
      const frame = network.frames[shown];
      said.textContent = `${frame.name}, ${number(frame.links)} connections`;
    };
    const slider = element("input", { type: "range", min: 0, max: network.frames.length - 1, value: shown,
      "aria-label": "Time", oninput: () => { shown = Number(slider.value); say(); keepingZoom(drawn, renew); } });
    say();
    controls.append(element("label", {}, "Time ", slider), said);
  }
  if (network.groupings.length > 1) {
    const choice = element("select", { onchange: () => { grouping = choice.selectedIndex; keepingZoom(drawn, renew); } },
      ...network.groupings.map((of) => element("option", {}, of.by)));
    controls.append(element("label", {}, "Colours by ", choice));
  }
  const zoom = (factor) => {
    for (const [index, { start, end }] of drawn.getOption().dataZoom.entries()) {
      const middle = (start + end) / 2;
      const half = Math.min(50, (end - start) / 2 * factor);
      const low = Math.max(0, Math.min(100 - 2 * half, middle - half));
      drawn.dispatchAction({ type: "dataZoom", dataZoomIndex: index, start: low, end: low + 2 * half });
    }
  };
  const rows = () => {
    const ends = [...present[shown]].sort((a, b) => a - b);
    return [["source", "target"], ...ends.map((link) => [String(network.ids[source[link]]), String(network.ids[network.target[link]])])];
  };
  const [bar, table] = tools(chart, rows, () => drawn, "Drag to move, Ctrl and wheel to zoom");
  bar.insertBefore(button("+", () => zoom(0.7)), bar.lastChild).setAttribute("aria-label", "Zoom in");
  bar.insertBefore(button("−", () => zoom(1 / 0.7)), bar.lastChild).setAttribute("aria-label", "Zoom out");
  section.append(bar, table);
}

/** Draws anew and looks at the same part as before. */
function keepingZoom(chart, renew) {
  const before = chart.getOption().dataZoom.map(({ start, end }) => ({ start, end }));
  renew();
  before.forEach((zoom, dataZoomIndex) => chart.dispatchAction({ type: "dataZoom", dataZoomIndex, ...zoom }));
}

function networkOption(network, source, links, offline, grouping, colours, place) {
  const peers = network.ids.length;
  const degree = new Uint32Array(peers);
  const ends = new Float64Array(links.size * 5);
  let at = 0;
  for (const link of links) {
    const [a, b] = [source[link], network.target[link]];
    degree[a] += 1;
    degree[b] += 1;
    ends.set([2, network.x[a], -network.y[a], network.x[b], -network.y[b]], at);
    at += 5;
  }
  const mean = peers > 0 ? 2 * links.size / peers : 0;
  const radius = Math.min(13, Math.max(1.1, 4.2 * (1000 / peers) ** 0.42));
  const size = (peer) => 2 * radius * Math.min(5, Math.max(0.6, Math.sqrt((degree[peer] + 1) / (mean + 1))));
  const many = peers > SINGLE_MAX;
  const series = [{
    type: "lines", coordinateSystem: "cartesian2d", data: ends, large: true, largeThreshold: 0, progressive: 0, silent: true,
    lineStyle: {
      color: colours.ink, width: Math.min(1.4, Math.max(0.35, 1.4 * (100 / (links.size + 1)) ** 0.22)),
      opacity: Math.min(0.5, Math.max(0.035, 0.5 * (200 / (links.size + 1)) ** 0.42)),
    }, z: 1,
  }];
  grouping.names.forEach((name, group) => {
    const colour = turn(colours.colours, group);
    const members = [];
    // A few among many are drawn larger, and last.
    const large = grouping.peers[group] > SINGLE_MAX;
    const few = many && grouping.peers[group] < peers / 50;
    for (let peer = 0; peer < peers; peer += 1) {
      if (grouping.of[peer] !== group) continue;
      const point = [network.x[peer], -network.y[peer], peer];
      members.push(large ? point : {
        value: point,
        itemStyle: offline.has(peer) ? { color: colours.paper, borderColor: colour, borderWidth: 1.5 } : undefined,
      });
    }
    series.push({
      type: "scatter", name: `${name} (${number(grouping.peers[group])})`, data: members, symbol: turn(SYMBOLS, group),
      symbolSize: large ? 2 * radius : (value) => Math.max(few ? 8 : 0, size(value[2])),
      large, largeThreshold: SINGLE_MAX, progressive: 0, z: few ? 4 : 3,
      itemStyle: { color: colour, opacity: 1, borderColor: colours.paper, borderWidth: large ? 0 : 0.7 },
      label: { show: peers <= NAMED_MAX, formatter: ({ value }) => String(network.ids[value[2]]), position: "right", distance: 4, color: colours.ink, fontSize: 11.5 },
    });
  });
  // As wide as high, whatever the page's width is.
  const side = Math.max(1, ...network.x, ...network.y);
  const [width, height] = [Math.max(place.clientWidth, 1) - 24, Math.max(place.clientHeight, 1) - 64];
  const span = side * Math.max(width, height) / Math.min(width, height) * 1.04;
  const range = (length, low, high) => {
    const reach = span * length / Math.max(width, height) / 2;
    return { min: (low + high) / 2 - reach, max: (low + high) / 2 + reach };
  };
  const most = (list) => list.reduce((most, value) => Math.max(most, value), 0);
  const hidden = { type: "value", show: false };
  const option = base(colours);
  return {
    ...option,
    grid: { left: 12, right: 12, top: 44, bottom: 20, outerBoundsMode: "none" },
    legend: { type: "scroll", left: 0, right: 0, top: 0, itemGap: 18, itemWidth: 13, itemHeight: 13, textStyle: { color: colours.ink, fontSize: 13 },
      pageTextStyle: { color: colours.soft }, pageIconColor: colours.ink, pageIconInactiveColor: colours.rule,
      data: series.slice(1).map((of) => of.name) },
    xAxis: { ...hidden, ...range(width, 0, most(network.x)) },
    yAxis: { ...hidden, ...range(height, -most(network.y), 0) },
    dataZoom: [{ type: "inside", xAxisIndex: 0, filterMode: "none", zoomOnMouseWheel: "ctrl" },
      { type: "inside", yAxisIndex: 0, filterMode: "none", zoomOnMouseWheel: "ctrl" }],
    series,
    tooltip: {
      ...option.tooltip, trigger: "item",
      formatter: ({ value }) => {
        const peer = value[2];
        return line(null, "peer", network.ids[peer]) + line(null, grouping.by, grouping.names[grouping.of[peer]]) +
          line(null, "connections", number(degree[peer])) + (offline.has(peer) ? line(null, "offline", "at the end") : "");
      },
    },
  };
}

// ---- The page ---------------------------------------------------------------------------------

const KINDS = { views, panels, heatmaps, networks, table };

function main() {
  head();
  const place = document.getElementById("main");
  place.append(summary());
  // What is missing comes last.
  const order = [...data.charts].sort((a, b) => isDrawn(b) - isDrawn(a));
  for (const chart of order) {
    const missing = !isDrawn(chart);
    const section = element("section", { id: chart.id, className: missing ? "missing" : chart.half ? "half" : "" },
      element("h2", {}, chart.title));
    place.append(section);
    if (missing) {
      section.append(element("p", { className: "said" }, chart.summary));
    } else {
      section.append(element("p", { className: "about" }, chart.about), element("p", { className: "said" }, chart.summary));
      KINDS[chart.body.kind](chart, section);
    }
    section.dataset.state = missing ? "missing" : "drawn";
  }
  dark.addEventListener("change", () => drawings.forEach(({ renew }) => renew()));
  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => drawings.forEach(({ chart, renew }) => { chart.resize(); renew(); }), 150);
  });
  addEventListener("beforeprint", () => drawings.forEach(({ chart }) => chart.resize()));
}

/** How many pixels of a drawing are of a series' colour or near it: for `#check`, by which tests see that charts have content. */
function ink(chart) {
  const drawn = chart.getRenderedCanvas({ pixelRatio: 1 });
  const pixels = drawn.getContext("2d").getImageData(0, 0, drawn.width, drawn.height).data;
  let count = 0;
  for (let at = 0; at < pixels.length; at += 4) {
    const [red, green, blue, alpha] = pixels.subarray(at, at + 4);
    if (alpha > 24 && Math.max(red, green, blue) - Math.min(red, green, blue) > 24) count += 1;
  }
  return count;
}

try {
  main();
  if (location.hash === "#check") {
    for (const { chart, place } of drawings) {
      const { dataset } = place.closest("section");
      dataset.ink = Math.min(Number(dataset.ink ?? Infinity), ink(chart));
    }
  }
} catch (error) {
  problems.push(error.stack ?? String(error));
}
document.documentElement.dataset.problems = JSON.stringify(problems);
if (problems.length > 0) {
  document.getElementById("head").append(
    element("p", { className: "notice" }, `This browser could not draw everything: ${problems[0]}`));
}
