// Data, numbers, elements and the state kept in the address bar. Every text is set as text, never as markup.
const D = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const NONE = "–";

const rows = D.effects.lesion.map((_, i) =>
  Object.fromEntries(Object.entries(D.effects).map(([name, column]) => [name, column[i]])));
D.details.row.forEach((row, i) => {
  for (const [name, column] of Object.entries(D.details)) if (name !== "row") rows[row][name] = column[i];
});
const byKey = new Map(rows.map((r) => [`${r.outcome}|${r.group}|${r.lesion}`, r]));
const effectOf = (outcome, group, lesion) => byKey.get(`${outcome}|${group}|${lesion}`);
const ALL = D.groups.findIndex((g) => g.key === "all");

const known = (x) => x !== null && x !== undefined;
const plain = (x, places) => {
  if (!known(x)) return NONE;
  const text = x.toFixed(places);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
};
const signed = (x, places) => (known(x) && Number(x.toFixed(places)) > 0 ? "+" : "") + plain(x, places);
const pValue = (p) => !known(p) ? NONE : p < 0.001 ? "< 0.001" : p.toFixed(p < 0.0995 ? 3 : 2);
const scaled = (outcome, x) => known(x) ? outcome.scale * x : null;
const interval = (outcome, r, places = outcome.decimals) => known(r.ci_low) && known(r.ci_high)
  ? `[${signed(scaled(outcome, r.ci_low), places)}, ${signed(scaled(outcome, r.ci_high), places)}]` : NONE;

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "vars") for (const [key, v] of Object.entries(value)) element.style.setProperty(key, v);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}
const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

// A component address may break after its dots, equals signs and ampersands.
const address = (text) => h("span", { class: "address" }, text.split(/(?<= & )/).map((lesion) =>
  h("span", { class: "part" }, lesion.split(/(?<=[.=,])(?![\d.])/).flatMap((part, i) => (i ? [h("wbr"), part] : [part])))));

// How sure and which way: one class (colour) and one glyph (shape) per verdict.
function verdict(r, outcome) {
  if (r.label === "effect") return outcome.better === 0 ? "changed" : r.ate * outcome.better < 0 ? "worse" : "better";
  return r.label === "within noise" ? "same" : "unsure";
}
function glyph(kind) {
  const paths = { better: "M0-5 5.2 4.2H-5.2Z", same: "M-4-4H4V4H-4Z", unsure: "M0-5 5 0 0 5-5 0Z" };
  return paths[kind] ? svg("path", { class: "glyph", d: paths[kind] }) : svg("circle", { class: "glyph", r: 4.6 });
}
const mark = (kind) => svg("svg", { class: `mark ${kind}`, viewBox: "-7 -7 14 14", "aria-hidden": "true" }, glyph(kind));

// The state of the page, shared by links: what differs from the defaults is written after the # sign.
const DEFAULTS = {
  outcome: D.outcomes[D.primary].name, group: "all", sort: "harm", dir: "desc", filter: "", kinds: "1", open: "",
  cells: "level", factor: D.factor ?? "", example: "", lesion: "", show: "all", type: "", tokens: "1",
};
const state = { ...DEFAULTS };
const views = [];

function readAddress() {
  const text = location.hash.slice(1);
  if (text && !text.includes("=")) return false;
  const given = new URLSearchParams(text);
  Object.assign(state, DEFAULTS);
  for (const [name, value] of given) if (name in DEFAULTS) state[name] = value;
  return true;
}
function writeAddress() {
  const changed = Object.entries(state).filter(([name, value]) => value !== DEFAULTS[name]);
  const hash = changed.length ? "#" + new URLSearchParams(changed).toString() : " ";
  try { history.replaceState(null, "", hash === " " ? location.pathname + location.search : hash); } catch { /* sandboxed frame */ }
}
// Change the state, then redraw the views that depend on what changed.
function set(change) {
  Object.assign(state, change);
  writeAddress();
  draw(Object.keys(change));
}
function draw(names) {
  for (const view of views) if (!names || view.needs.some((n) => names.includes(n))) view.draw();
}
const outcomeIndex = () => Math.max(0, D.outcomes.findIndex((o) => o.name === state.outcome));
const groupIndex = () => Math.max(0, D.groups.findIndex((g) => g.key === state.group));

function options(select, entries, current, change) {
  select.replaceChildren(...entries.map(([value, text]) => h("option", { value, selected: value === current }, text)));
  select.onchange = () => change(select.value);
}
