// The browser of single examples: what the model saw, what it answered in both worlds, and where it spent its tokens.
const G = D.gallery;
const traceOf = ([answer, probability, top, grid]) => ({
  answer: G.texts[answer], probability, top: top.map(([t, p]) => [G.texts[t], p]), grid: grid < 0 ? null : G.grids[grid],
});
const EXAMPLES = G.examples.map((e) => ({
  ...e, answer: G.texts[e.answer], factual: traceOf(e.factual),
  lesioned: new Map(e.lesioned.map(([lesion, ...t]) => [lesion, traceOf(t)])),
}));
const SHOWN_LESIONS = D.lesions.map((_, i) => i).filter((i) => EXAMPLES.some((e) => e.lesioned.has(i)));
const TYPES = [...new Set(EXAMPLES.flatMap((e) => Object.entries(e.groups).map(([name, label]) => `${name}=${label}`)))];
const SHOW = {
  all: ["all examples", () => true],
  changed: ["answer changed by the lesion", (e, lesion) => e.lesioned.has(lesion) && e.lesioned.get(lesion).answer !== e.factual.answer],
  broken: ["right became wrong", (e, lesion) => flip(e, e.lesioned.get(lesion)) === "worse"],
  mended: ["wrong became right", (e, lesion) => flip(e, e.lesioned.get(lesion)) === "better"],
  wrong: ["intact model wrong", (e) => e.factual.answer !== e.answer],
};
const TOKENS = G.grids.flat(2).filter(known);
const LEAST = Math.min(...TOKENS), MOST = Math.max(...TOKENS);

// What a lesion did to an answer: "" unchanged, "worse", "better", or "unsure" for one wrong answer to another.
function flip(e, t) {
  if (!t || t.answer === e.factual.answer) return "";
  return e.factual.answer === e.answer ? "worse" : t.answer === e.answer ? "better" : "unsure";
}
const FLIPS = { worse: "✗", better: "✓", unsure: "~" };

function lesionIndex() {
  const i = SHOWN_LESIONS.find((k) => D.lesions[k].name === state.lesion);
  if (i !== undefined) return i;
  const outcome = D.outcomes[D.primary];
  const ranked = SHOWN_LESIONS.map((k) => effectOf(D.primary, ALL, k)).filter(Boolean).sort((a, b) => badness(b, outcome) - badness(a, outcome));
  return ranked.length ? ranked[0].lesion : SHOWN_LESIONS[0];
}
function filtered(lesion) {
  const test = (SHOW[state.show] ?? SHOW.all)[1], [name, , label] = state.type.split(/(=)(.*)/s);
  return EXAMPLES.filter((e) => test(e, lesion) && (!state.type || e.groups[name] === label));
}

function overlay(grid, other) {
  const columns = grid[0].length, span = MOST - LEAST;
  const cells = grid.flatMap((line, r) => line.map((v, c) => {
    const before = other?.[r]?.[c];
    const beside = known(before) ? `, ${plain(before, 0)} in the other world` : "";
    const fill = span > 0 ? 0.68 * ((v - LEAST) / span) ** 0.6 : 0.2;
    return svg("g", null, svg("title", null, `row ${r + 1}, column ${c + 1}: ${plain(v, 0)} tokens${beside}`),
      svg("rect", { x: c, y: r, width: 1, height: 1, "fill-opacity": fill.toFixed(3) }),
      columns <= 8 && svg("text", { x: c + 0.5, y: r + 0.94 }, plain(v, 0)));
  }));
  return svg("svg", { viewBox: `0 0 ${columns} ${grid.length}`, preserveAspectRatio: "none", role: "img", "aria-label": "tokens per patch" }, cells);
}

function probabilities(t, truth) {
  return h("dl", { class: "bars" }, t.top.flatMap(([answer, p]) => [
    h("dt", { class: answer === truth ? "true" : null }, answer),
    h("dd", { class: "length" }, h("span", { vars: { width: `${100 * (p ?? 0)}%` } })),
    h("dd", { class: "number" }, known(p) ? p.toFixed(3) : NONE),
  ]));
}

function world(e, t, other, title, tag) {
  const right = t.answer === e.answer, frame = G.frames[e.frames.at(-1)];
  const mean = t.grid && t.grid.flat().reduce((a, b) => a + b, 0) / t.grid.flat().length;
  const tokens = t.grid && state.tokens === "1";
  return h("div", { class: `world ${right ? "right" : "wrong"}` }, h("h3", null, title),
    h("div", { class: "inside" },
      h("figure", null,
        h("div", { class: `stage${frame.startsWith("data:image/png") ? " pixels" : ""}` },
          h("img", { src: frame, alt: "" }), tokens ? overlay(t.grid, other?.grid) : null),
        t.grid && h("figcaption", null, `mean ${plain(mean, 0)}, largest ${plain(Math.max(...t.grid.flat()), 0)} tokens`)),
      h("div", null,
        h("p", { class: "answer" }, t.answer, " ", h("span", { class: right ? "right-text" : "wrong-text" }, right ? "✓" : "✗"), " ",
          h("small", null, right ? "right" : "wrong", tag ? `, ${tag}` : "")),
        probabilities(t, e.answer))));
}

function underEach(e, lesion) {
  const all = SHOWN_LESIONS.filter((i) => e.lesioned.has(i));
  const changed = all.filter((i) => flip(e, e.lesioned.get(i)));
  const kinds = new Map();
  for (const i of all) kinds.set(D.lesions[i].kind, [...(kinds.get(D.lesions[i].kind) ?? []), i]);
  const button = (i) => {
    const t = e.lesioned.get(i), kind = flip(e, t);
    return h("button", {
      type: "button", class: kind ? `flip ${kind}` : "same-answer", "aria-pressed": String(i === lesion), "data-pick": i,
      onclick: () => { set({ lesion: D.lesions[i].name }); document.querySelector(`[data-pick="${i}"]`).focus(); },
    }, h("b", null, kind ? FLIPS[kind] : "·"), address(D.lesions[i].name),
    h("b", null, t.answer, known(t.probability) ? h("span", { class: "quiet" }, ` ${t.probability.toFixed(2)}`) : null));
  };
  return h("div", { class: "under" },
    h("h3", null, `Answer under each lesion: ${changed.length} of ${all.length} change it `,
      h("span", null, "(✗ right became wrong, ✓ wrong became right, ~ another wrong answer, · unchanged)")),
    h("div", { class: "kinds" }, [...kinds].map(([kind, list]) => h("section", null, h("h4", null, D.kinds[kind]), list.map(button)))));
}

function drawExample(e, lesion) {
  const t = e.lesioned.get(lesion), kind = flip(e, t);
  const tag = { worse: "changed by the lesion", better: "mended by the lesion", unsure: "another wrong answer" }[kind] ?? "unchanged";
  const caption = (i) => e.frames.length === 1 ? "what the model sees" : `frame ${i + 1} of ${e.frames.length}`;
  $("example").replaceChildren(
    h("div", { class: "asked" },
      h("div", null, h("blockquote", null, e.question),
        h("dl", { class: "pairs" }, h("dt", null, "true answer"), h("dd", null, h("b", null, e.answer)),
          Object.entries(e.groups).flatMap(([name, label]) => [h("dt", null, name.replaceAll("_", " ")), h("dd", null, label)]),
          h("dt", null, "example"), h("dd", { class: "address" }, e.id))),
      h("div", { class: "frames" }, e.frames.map((f, i) => h("figure", { class: G.frames[f].startsWith("data:image/png") ? "pixels" : null },
        h("img", { src: G.frames[f], alt: `${caption(i)} of example ${e.id}` }), h("figcaption", null, caption(i)))))),
    h("div", { class: "worlds" },
      world(e, e.factual, t, ["Factual: the intact model"], ""),
      t ? world(e, t, e.factual, ["Counterfactual: do(", address(D.lesions[lesion].name), ")"], tag)
        : h("div", { class: "world" }, h("h3", null, "Counterfactual"), h("p", null, "This lesion was not traced on this example."))),
    underEach(e, lesion));
}

function drawExamples() {
  if (!$("examples")) return;
  const lesion = lesionIndex(), list = filtered(lesion);
  const at = Math.max(0, list.findIndex((e) => e.id === state.example)), e = list[at];
  options($("lesion"), SHOWN_LESIONS.map((i) => [D.lesions[i].name, D.lesions[i].name]), D.lesions[lesion].name, (v) => set({ lesion: v }));
  options($("show"), Object.entries(SHOW).map(([key, [text]]) => [key, text]), state.show, (v) => set({ show: v }));
  options($("type"), [["", "all"], ...TYPES.map((t) => [t, t.replace("=", ": ").replaceAll("_", " ")])], state.type, (v) => set({ type: v }));
  $("type-label").hidden = TYPES.length === 0;
  $("tokens-label").hidden = TOKENS.length === 0;
  $("tokens").checked = state.tokens === "1";
  $("thumbs").replaceChildren(...list.map((x) => {
    const kind = flip(x, x.lesioned.get(lesion)), name = `${x.id}: ${x.question}`;
    return h("button", { type: "button", title: name, "aria-label": name, "aria-current": x === e ? "true" : null, "data-example": x.id,
      onclick: () => { set({ example: x.id }); document.querySelector(`[data-example="${CSS.escape(x.id)}"]`)?.focus(); } },
    h("img", { src: G.frames[x.frames.at(-1)], alt: "" }), kind && h("i", { class: kind }, FLIPS[kind]));
  }));
  $("position").textContent = e ? `${at + 1} of ${list.length}${list.length < EXAMPLES.length ? ` (${EXAMPLES.length} in all)` : ""}` : "no example like that";
  $("previous").disabled = !e || at === 0;
  $("next").disabled = !e || at === list.length - 1;
  $("previous").onclick = () => set({ example: list[at - 1].id });
  $("next").onclick = () => set({ example: list[at + 1].id });
  if (e) drawExample(e, lesion);
  else $("example").replaceChildren(h("p", { class: "note" }, "No example matches; choose “all examples” or another lesion."));
}

$("tokens")?.addEventListener("change", () => set({ tokens: $("tokens").checked ? "1" : "0" }));
$("examples")?.addEventListener("keydown", (event) => {
  if (event.target.closest("select, input") || event.altKey || event.ctrlKey || event.metaKey) return;
  const button = { ArrowLeft: $("previous"), ArrowRight: $("next") }[event.key];
  if (button && !button.disabled) { event.preventDefault(); button.click(); }
});
views.push({ needs: ["lesion", "example", "show", "type", "tokens"], draw: drawExamples });
