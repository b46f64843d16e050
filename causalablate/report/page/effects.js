// How much of the table fits: 2 all columns, 1 without the "wide" ones, 0 only what is essential.
const NARROW = [matchMedia("(max-width: 62rem)"), matchMedia("(max-width: 76rem)")];
let printing = false;
const room = () => printing ? 0 : NARROW[0].matches ? 0 : NARROW[1].matches ? 1 : 2;
const fits = (c) => !(c.class?.includes("wide") && room() < 2) && !(c.class?.includes("medium") && room() < 1);

// The table of effects: sorted by its heads, filtered by words, grouped by component kind, each row opening to its details.
const badness = (r, outcome) => !known(r.ate) ? -Infinity : outcome.better ? -outcome.better * r.ate : Math.abs(r.ate);
const has = (column) => column in D.effects;

const COLUMNS = [
  { key: "lesion", head: "Lesion", value: (r) => D.lesions[r.lesion].name },
  { key: "harm", head: "Effect", forest: true, value: (r, o) => badness(r, o) },
  { key: "ate", head: (o) => `${o.unit} [${+(100 * D.level).toPrecision(4)} %]`, number: true, value: (r) => r.ate },
  { key: "counterfactual_mean", head: (o) => `Lesioned, ${o.levelUnit}`, label: "value in the counterfactual world", number: true,
    class: "medium", text: (r, o) => plain(scaled(o, r.counterfactual_mean), o.decimals) },
  { key: "p_holm", head: "p (Holm)", number: true, class: "medium", text: (r) => pValue(r.p_holm) },
  { key: "p_control", head: "p (controls)", number: true, class: "wide", text: (r) => pValue(r.p_control) },
  { key: "n_flips_down", head: "✓→✗ / ✗→✓", label: "right to wrong, wrong to right", number: true, class: "wide",
    text: (r) => `${plain(r.n_flips_down, 0)} / ${plain(r.n_flips_up, 0)}` },
  { key: "label", head: "Verdict", class: "medium verdict", value: (r) => r.label, text: (r) => r.label },
];

const classOf = (c) => [c.key, c.class, c.number && "number", c.forest && "forest"].filter(Boolean).join(" ");

function visibleRows(o, g) {
  const words = state.filter.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((r) => r.outcome === o && r.group === g).filter((r) => {
    const lesion = D.lesions[r.lesion];
    const text = `${lesion.name} ${lesion.kind} ${D.kinds[lesion.kind]} ${r.label}`.toLowerCase();
    return words.every((w) => text.includes(w));
  });
}

function sortRows(list, outcome) {
  const column = COLUMNS.find((c) => c.key === state.sort) ?? COLUMNS[1];
  const value = column.value ?? ((r) => r[column.key]);
  const sign = state.dir === "asc" ? 1 : -1;
  const compare = (a, b) => {
    const x = value(a, outcome), y = value(b, outcome);
    if (!known(x) || !known(y)) return known(y) - known(x);
    return sign * (typeof x === "string" ? x.localeCompare(y, "en", { numeric: true }) : x - y) || a.lesion - b.lesion;
  };
  return list.sort(compare);
}

// Kinds in the order of their first row; within a kind the order of the rows stays.
function byKind(list) {
  const kinds = new Map();
  for (const r of list) {
    const kind = D.lesions[r.lesion].kind;
    kinds.set(kind, [...(kinds.get(kind) ?? []), r]);
  }
  return kinds;
}

function describe(r, outcome) {
  return `${D.lesions[r.lesion].name}: ${signed(scaled(outcome, r.ate), outcome.decimals)} ${outcome.unit} ${interval(outcome, r)}, ${r.label}`;
}

function effectRow(r, outcome, columns, scale) {
  const lesion = D.lesions[r.lesion], open = state.open === lesion.name, d = outcome.decimals;
  const cells = columns.slice(1).map((c) => {
    if (c.forest) return h("td", { class: "forest" }, forestRow(r, outcome, scale, describe(r, outcome)));
    const cls = classOf(c);
    if (c.key === "ate") {
      return h("td", { class: cls }, signed(scaled(outcome, r.ate), d), " ", h("span", { class: "interval quiet" }, interval(outcome, r)));
    }
    if (c.key === "label") return h("td", { class: cls }, mark(verdict(r, outcome)), " ", r.label);
    return h("td", { class: cls }, c.text(r, outcome));
  });
  const button = h("button", {
    type: "button", class: "disclose", "aria-expanded": String(open), onclick: () => {
      set({ open: open ? "" : lesion.name });
      document.querySelector(`[data-lesion="${CSS.escape(lesion.name)}"] .disclose`)?.focus();
    },
  }, address(lesion.name));
  return h("tr", { class: "row", "data-lesion": lesion.name }, h("th", { scope: "row", class: "lesion" }, button), cells);
}

function headRow(columns, outcome, scale) {
  return h("tr", null, columns.map((c) => {
    const sorted = state.sort === c.key;
    const text = typeof c.head === "function" ? c.head(outcome) : c.head;
    const title = c.forest ? "Effect, most harmful first" : c.label;
    const button = h("button", {
      type: "button", title, "aria-label": title ? `${text}: ${title}` : null, "data-sort": c.key, onclick: () => {
        set({ sort: c.key, dir: sorted ? (state.dir === "asc" ? "desc" : "asc") : c.forest ? "desc" : "asc" });
        document.querySelector(`[data-sort="${c.key}"]`).focus();
      },
    }, text);
    return h("th", {
      scope: "col", class: classOf(c),
      "aria-sort": sorted ? (state.dir === "asc" ? "ascending" : "descending") : null,
    }, button, c.forest && forestAxis(scale));
  }));
}

function drawEffects() {
  const o = outcomeIndex(), g = groupIndex(), outcome = D.outcomes[o];
  const whole = rows.filter((r) => r.outcome === o && r.group === g);
  const scale = scaleOf(whole, outcome), list = sortRows(visibleRows(o, g), outcome);
  const columns = COLUMNS.filter(fits).filter((c) => ["lesion", "harm", "label"].includes(c.key) || (has(c.key) && whole.some((r) => known(r[c.key]))));
  const body = (items) => items.flatMap((r) => [
    effectRow(r, outcome, columns, scale),
    ...(state.open === D.lesions[r.lesion].name ? [detailRow(r, outcome, columns.length)] : []),
  ]);
  const bodies = state.kinds === "1"
    ? [...byKind(list)].map(([kind, items]) => h("tbody", null,
      h("tr", { class: "kind" }, h("th", { scope: "rowgroup" }, D.kinds[kind]), h("td", { class: "forest" }, forestGround(scale, outcome)),
        columns.slice(2).map(() => h("td"))), body(items)))
    : [h("tbody", null, body(list))];
  const where = g === ALL ? "all examples" : `${D.groups[g].key.replace("=", ": ")}`;
  $("effects-table").replaceChildren(
    h("caption", null, `${outcome.title}, ${where}. ` + (known(whole[0]?.factual_mean)
      ? `Intact model: ${plain(scaled(outcome, whole[0].factual_mean), outcome.decimals)} ${outcome.levelUnit}. ` : "") +
      `Effect = counterfactual − factual, in ${outcome.unit}.`),
    h("thead", null, headRow(columns, outcome, scale)), ...bodies);
  $("shown").textContent = list.length === whole.length ? `${whole.length} lesions` : `${list.length} of ${whole.length} lesions`;
  if (document.activeElement !== $("filter")) $("filter").value = state.filter;
  $("kinds").checked = state.kinds === "1";
  options($("outcome"), D.outcomes.map((x) => [x.name, x.title]), outcome.name, (v) => set({ outcome: v }));
  options($("group"), D.groups.map((x) => [x.key, x.key === "all" ? "all" : x.key.replace("=", ": ").replaceAll("_", " ")]),
    D.groups[g].key, (v) => set({ group: v }));
}

$("filter").addEventListener("input", () => set({ filter: $("filter").value }));
$("kinds").addEventListener("change", () => set({ kinds: $("kinds").checked ? "1" : "0" }));
$("effects-bar").addEventListener("submit", (event) => event.preventDefault());
NARROW.forEach((query) => query.addEventListener("change", drawEffects));
addEventListener("beforeprint", () => { printing = true; drawEffects(); });
addEventListener("afterprint", () => { printing = false; drawEffects(); });
views.push({ needs: ["outcome", "group", "sort", "dir", "filter", "kinds", "open", "factor"], draw: drawEffects });
