"use strict";
(() => {
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const root = document.documentElement;
  const { specifications, charts } = JSON.parse($("#data").textContent);
  const said = $("#said");

  // The library is unpacked when the first chart comes into view.
  let library = null;
  async function unpacked() {
    const bytes = Uint8Array.from(atob($("#vega").textContent), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
    script.remove();
    return window.vegaEmbed;
  }
  const vega = () => (library ??= unpacked());

  // What the data block holds in short, as the rows that a specification expects.
  const total = (counts) => counts.reduce((sum, n) => sum + n, 0);
  function ofEdges({ kind, edges, series, limit }) {
    const rows = [];
    for (const [name, counts] of Object.entries(series)) {
      const all = total(counts) || 1;
      counts.forEach((n, i) => rows.push({
        x0: edges[i], x1: edges[i + 1], n, share: n / all, class: name,
        limit: limit ?? null, strong: limit != null && edges[i] >= limit,
      }));
      if (kind === "by_class") rows.push({ ...rows.at(-1), x0: edges.at(-1) });
    }
    return rows;
  }
  const ofMatrix = ({ rows, across, thousandths }) =>
    rows.flatMap((b, i) => across.map((a, j) => ({ a, b, v: thousandths[i][j] == null ? null : thousandths[i][j] / 1000 })));
  function ofColumns({ columns }) {
    const names = Object.keys(columns);
    return columns[names[0]].map((_, i) => Object.fromEntries(names.map((name) => [name, columns[name][i]])));
  }
  const rowsOf = (chart) => chart.edges ? ofEdges(chart) : chart.thousandths ? ofMatrix(chart) : ofColumns(chart);

  function theme() {
    const style = getComputedStyle(root);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const [ink, soft, grid, accent] = ["ink", "soft", "grid", "accent"].map(colour);
    return {
      background: "transparent", font: "system-ui, sans-serif", padding: 4,
      view: { stroke: null },
      axis: { labelColor: soft, titleColor: soft, gridColor: grid, domainColor: grid, tickColor: grid, labelFontSize: 11 },
      axisX: { grid: false }, legend: { labelColor: ink, titleColor: soft, labelFontSize: 11 },
      bar: { fill: accent }, rect: {}, line: { stroke: accent }, area: { fill: accent, line: { color: accent } }, rule: { stroke: ink },
      range: {
        category: [1, 2, 3, 4, 5, 6, 7, 8].map((i) => colour(`c${i}`)),
        ordinal: [accent, colour("muted")],
        diverging: [colour("minus"), colour("zero"), colour("plus")],
        heatmap: [colour("heat0"), colour("heat1")],
      },
    };
  }

  function specified(chart) {
    const specification = structuredClone(specifications[chart.kind]), rows = rowsOf(chart);
    specification.datasets = { rows };
    if (specification.height?.step) {
      const { y } = (specification.layer?.[0] ?? specification).encoding;
      specification.height = specification.height.step * new Set(rows.map((row) => row[y.field])).size;
    }
    if (chart.kind === "heat") {
      specification.height = Math.max(140, Math.min(620, 24 * chart.rows.length));
      specification.encoding.x.scale = { domain: chart.across };
      specification.encoding.y.scale = { domain: chart.rows };
    }
    return specification;
  }

  const isDark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const drawn = new Map();
  async function draw(figure) {
    if (drawn.has(figure)) return;
    drawn.set(figure, null);
    const chart = charts[figure.dataset.chart];
    const plot = $(".plot", figure);
    const specification = specified(chart);
    try {
      const embed = await vega();
      const result = await embed(plot, specification, {
        mode: "vega-lite", actions: false, ast: true, config: theme(),
        renderer: chart.kind === "heat" ? "canvas" : "svg",
        tooltip: { theme: isDark() ? "dark" : "light" },
      });
      drawn.set(figure, result);
      figure.dataset.drawn = "yes";
    } catch (error) {
      plot.textContent = "This browser can't draw the chart.";
      plot.classList.add("failed");
      console.error(error);
    }
  }
  const inView = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) draw(target);
  }, { rootMargin: "200px" });
  const figures = $$("figure.chart");
  figures.forEach((figure) => inView.observe(figure));

  function redraw() {
    for (const [figure, result] of drawn) {
      result?.finalize();
      drawn.delete(figure);
      delete figure.dataset.drawn;
      inView.unobserve(figure);
      inView.observe(figure);
    }
  }

  // A frame without an origin has no storage.
  const kept = (action) => { try { return action(localStorage); } catch { return null; } };
  const remembered = kept((storage) => storage.getItem("traintable-theme"));
  if (remembered === "light" || remembered === "dark") root.dataset.theme = remembered;
  $("#theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    kept((storage) => storage.setItem("traintable-theme", root.dataset.theme));
    redraw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  // Columns: open, find, sort.
  const columns = $$("tbody.column");
  function open(column, wanted) {
    const button = $(".open", column), panel = $(".detail", column);
    panel.hidden = !(wanted ?? panel.hidden);
    button.setAttribute("aria-expanded", String(!panel.hidden));
  }
  for (const column of columns) {
    $(".row", column).addEventListener("click", (event) => {
      if (!event.target.closest("a") && !String(getSelection())) open(column);
    });
  }
  const words = new Map(columns.map((column) => [
    column, [$(".detail h3", column).textContent, column.dataset.kind, column.dataset.flags, $(".kind", column).textContent].join(" ").toLowerCase(),
  ]));
  const [find, kind, flag, found] = ["#find", "#kind", "#flag", "#found"].map((id) => $(id));
  function filter() {
    const wanted = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    for (const column of columns) {
      const fits = wanted.every((word) => words.get(column).includes(word))
        && (!kind.value || column.dataset.kind === kind.value)
        && (!flag.value || column.dataset.flags.split("|").includes(flag.value));
      column.hidden = !fits;
      n += fits;
    }
    found.textContent = `${n} of ${columns.length}`;
    $("#none-found").hidden = n > 0;
  }
  if (find) {
    [find, kind, flag].forEach((field) => field.addEventListener("input", filter));
    find.form.addEventListener("submit", (event) => event.preventDefault());
  }
  $$(".chip").forEach((chip) => chip.addEventListener("click", () => {
    find.value = kind.value = "";
    flag.value = chip.dataset.flag;
    filter();
    go("columns");
  }));

  function sort(header) {
    const table = header.closest("table"), index = [...header.parentNode.children].indexOf(header);
    const numeric = header.classList.contains("number");
    const before = header.getAttribute("aria-sort");
    const down = before ? before === "ascending" : numeric;
    $$("[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (body) => {
      const cell = body.rows[0].cells[index];
      const text = cell.dataset.value ?? cell.textContent.trim();
      return numeric ? (text === "" ? NaN : Number(text)) : text;
    };
    const order = numeric ? (a, b) => a - b : new Intl.Collator(undefined, { numeric: true }).compare;
    const missing = (v) => numeric && Number.isNaN(v);
    const bodies = [...table.tBodies].map((body) => [value(body), body]);
    bodies.sort(([a], [b]) => missing(a) - missing(b) || (missing(a) ? 0 : down ? order(b, a) : order(a, b)));
    table.append(...bodies.map(([, body]) => body));
    said.textContent = `Sorted by ${header.textContent}, ${down ? "descending" : "ascending"}`;
  }
  $$(".sort").forEach((button) => button.addEventListener("click", () => sort(button.closest("th"))));

  // Links within the page; a column's panel is opened, even where the filter hides it.
  function go(id) {
    const target = document.getElementById(id);
    if (!target) return;
    if (target.matches("tbody.column")) {
      if (target.hidden) { find.value = kind.value = flag.value = ""; filter(); }
      open(target, true);
    }
    target.scrollIntoView();
    const focus = target.matches("tbody.column") ? $(".open", target) : target;
    if (!focus.hasAttribute("tabindex") && focus === target) focus.tabIndex = -1;
    focus.focus({ preventScroll: true });
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (!link) return;
    event.preventDefault();
    const id = link.getAttribute("href").slice(1);
    try { history.pushState(null, "", `#${id}`); } catch { /* a frame has no history of its own */ }
    go(id);
  });
  const here = () => location.hash && go(decodeURIComponent(location.hash.slice(1)));
  addEventListener("popstate", here);
  here();

  const links = new Map($$(".menu a").map((link) => [link.getAttribute("href").slice(1), link]));
  const reading = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) {
        links.forEach((link) => link.removeAttribute("aria-current"));
        links.get(target.id)?.setAttribute("aria-current", "true");
      }
    }
  }, { rootMargin: "-15% 0px -80% 0px" });
  $$("main > section:not([hidden])").forEach((section) => reading.observe(section));

  $$(".tab").forEach((tab) => tab.addEventListener("click", () => {
    $$(".tab").forEach((other) => other.setAttribute("aria-pressed", String(other === tab)));
    $$(".map").forEach((map) => { map.hidden = map.id !== tab.dataset.map; });
  }));

  $("#copy")?.addEventListener("click", async () => {
    const text = $("#plan-text");
    try {
      await navigator.clipboard.writeText(text.textContent);
      said.textContent = "Copied";
      $("#copy").textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);
    }
  });
})();
