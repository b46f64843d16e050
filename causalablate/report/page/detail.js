// What a row of the table opens to: every number of the effect, the effect by group, and the individual effects.
const DETAILS = [
  ["n_units", "examples", (x) => plain(x, 0)],
  ["n_clusters", "clusters of examples", (x) => plain(x, 0)],
  ["n_seeds", "seeds", (x) => plain(x, 0)],
  ["se", "standard error", (x, o) => plain(scaled(o, x), o.decimals + 1)],
  ["interval_method", "interval", (x) => x],
  ["relative_change", "relative change", (x) => `${signed(100 * x, 1)} %`],
  ["d", "Cohen's d", (x) => signed(x, 2)],
  ["d_z", "d of the differences", (x) => signed(x, 2)],
  ["p_mcnemar", "p, exact McNemar", pValue],
  ["p_signflip", "p, sign flips", pValue],
  ["p_holm", "p, Holm", pValue],
  ["p_bh", "p, Benjamini–Hochberg", pValue],
  ["fired", "acted on", (x) => `${plain(100 * x, x === 1 ? 0 : 1)} % of examples`],
  ["change_norm", "mean change at the site", (x) => `${Number(x.toPrecision(3))} (L2 norm)`],
];

function bounded(r, name, label) {
  if (!known(r[name])) return [];
  const low = r[`${name}_low`], high = r[`${name}_high`];
  const bounds = known(low) && known(high) ? `, from the margins alone ${plain(low, 3)} to ${plain(high, 3)}` : "";
  return [h("dt", null, label), h("dd", null, plain(r[name], 3) + bounds)];
}

function controlsOf(r, outcome) {
  if (!r.n_controls || !known(r.control_mean)) return [];
  const d = outcome.decimals;
  const spread = `${signed(scaled(outcome, r.control_mean), d)} ± ${plain(scaled(outcome, r.control_sd), d)} (mean ± sd of ${plain(r.n_controls, 0)})`;
  return [h("dt", null, "random controls"), h("dd", null, spread), h("dt", null, "p against them"), h("dd", null, pValue(r.p_control))];
}

// What the columns say, for screens that have no room for all of them.
function inWords(r, outcome) {
  const d = outcome.decimals, value = (x) => plain(scaled(outcome, x), d);
  const worlds = known(r.factual_mean) ? `${value(r.factual_mean)} → ${value(r.counterfactual_mean)} ${outcome.levelUnit}: ` : "";
  const flips = known(r.n_flips_down) ? ` ${plain(r.n_flips_down, 0)} examples go from right to wrong, ${plain(r.n_flips_up, 0)} from wrong to right.` : "";
  return `${outcome.title} ${worlds}${signed(scaled(outcome, r.ate), d)} ${outcome.unit} ${interval(outcome, r)}, ${r.label}.${flips}`;
}

function numbersOf(r, outcome) {
  const pairs = DETAILS.filter(([name]) => known(r[name])).flatMap(([name, label, show]) =>
    [h("dt", null, label), h("dd", null, show(r[name], outcome))]);
  return h("div", null, h("h3", null, "In numbers"), h("p", null, inWords(r, outcome)), h("dl", { class: "pairs" }, pairs,
    bounded(r, "pn", "necessity, PN"), bounded(r, "ps", "sufficiency, PS"), bounded(r, "pns", "both, PNS"), controlsOf(r, outcome)));
}

function groupsOf(r, outcome) {
  const keys = D.factors[state.factor];
  if (!keys) return null;
  const list = [ALL, ...keys].map((g) => effectOf(r.outcome, g, r.lesion)).filter(Boolean);
  const scale = scaleOf(list, outcome), d = outcome.decimals;
  return h("div", null, h("h3", null, `By ${state.factor.replaceAll("_", " ")}`), h("table", { class: "mini" }, h("tbody", null,
    list.map((x) => h("tr", null,
      h("th", { scope: "row" }, D.groups[x.group].label),
      h("td", { class: "forest" }, forestRow(x, outcome, scale, `${D.groups[x.group].label}: ${describe(x, outcome)}`)),
      h("td", { class: "number" }, signed(scaled(outcome, x.ate), d)),
      h("td", { class: "number quiet" }, `n = ${plain(x.n_units, 0)}`))))));
}

function histogramOf(r, outcome) {
  const found = outcome.histograms[D.lesions[r.lesion].name];
  if (!found) return null;
  const [low, high, ...counts] = found, most = Math.max(...counts), n = counts.length;
  const bars = counts.map((c, i) => svg("rect", {
    x: `${100 * i / n}%`, width: `${92 / n}%`, y: `${100 - 100 * c / most}%`, height: `${100 * c / most}%`,
  }, svg("title", null, `${c} examples`)));
  const zero = low < 0 && high > 0 && svg("line", { x1: `${100 * -low / (high - low)}%`, x2: `${100 * -low / (high - low)}%`, y1: 0, y2: "100%" });
  const end = (x) => `${signed(scaled(outcome, x), outcome.decimals)} ${outcome.unit}`;
  return h("div", null, h("h3", null, "Individual effects, all examples"),
    svg("svg", { class: "histogram", role: "img", "aria-label": `histogram from ${end(low)} to ${end(high)}` }, bars, zero || null),
    h("div", { class: "ends" }, h("span", null, end(low)), h("span", null, end(high))));
}

function detailRow(r, outcome, width) {
  const name = D.lesions[r.lesion].name;
  const shown = D.gallery.examples.some((e) => e.lesioned.some((t) => t[0] === r.lesion));
  const more = shown && h("button", { type: "button", class: "more", onclick: () => {
    set({ lesion: name });
    $("examples").scrollIntoView();
  } }, "See it on single examples");
  return h("tr", { class: "detail" }, h("td", { colspan: width },
    h("div", { class: "parts" }, numbersOf(r, outcome), groupsOf(r, outcome), histogramOf(r, outcome)), more));
}
