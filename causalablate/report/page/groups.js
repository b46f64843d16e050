// The outcome by group, factual and under each lesion, and the map of attention heads: cells tinted by change.
const toneOf = (change, outcome) => outcome.better === 0 ? "either" : change * outcome.better < 0 ? "down" : "up";
const sure = (r) => known(r.ci_low) && known(r.ci_high) && (r.ci_low > 0 || r.ci_high < 0);

function cellOf(r, outcome, most, places, showChange) {
  if (!r) return h("td", null, NONE);
  const value = showChange ? signed(scaled(outcome, r.ate), places) : plain(scaled(outcome, r.counterfactual_mean), places);
  const t = known(r.ate) && most > 0 ? Math.min(1, Math.abs(outcome.scale * r.ate) / most) : 0;
  const type = D.groups[r.group].key;
  const shown = D.gallery.examples.length > 0;
  const d = outcome.decimals;
  return h("td", {
    class: [toneOf(r.ate, outcome), sure(r) && "sure", shown && "link"].filter(Boolean).join(" "), vars: { "--t": t.toFixed(3) },
    title: `${D.lesions[r.lesion].name}, ${D.groups[r.group].label}: ${plain(scaled(outcome, r.factual_mean), d)} → ` +
      `${plain(scaled(outcome, r.counterfactual_mean), d)} ${outcome.levelUnit}, ${signed(scaled(outcome, r.ate), d)} ${outcome.unit} ` +
      `${interval(outcome, r)}, n = ${plain(r.n_units, 0)}, ${r.label}`,
    onclick: shown && (() => {
      set({ lesion: D.lesions[r.lesion].name, type: type === "all" ? "" : type, example: "" });
      $("examples").scrollIntoView();
    }),
  }, value);
}

function drawGroups() {
  if (!$("by-group")) return;
  const o = outcomeIndex(), outcome = D.outcomes[o], factor = D.factors[state.factor] ? state.factor : D.factor;
  const groups = [ALL, ...D.factors[factor]], change = state.cells === "change" || !rows.some((r) => r.outcome === o && known(r.counterfactual_mean));
  const mine = rows.filter((r) => r.outcome === o && groups.includes(r.group));
  const most = Math.max(0, ...mine.map((r) => Math.abs(outcome.scale * (r.ate ?? 0))));
  const places = outcome.scale === 100 ? 0 : Math.min(2, outcome.decimals);
  const order = rows.filter((r) => r.outcome === o && r.group === ALL).sort((a, b) => badness(b, outcome) - badness(a, outcome));
  const name = factor.replaceAll("_", " ");
  const intact = groups.map((g) => mine.find((r) => r.group === g));
  const bodies = [...byKind(order)].map(([, items]) => h("tbody", null, items.map((r) => h("tr", null,
    h("th", { scope: "row" }, address(D.lesions[r.lesion].name)),
    groups.map((g) => cellOf(effectOf(o, g, r.lesion), outcome, most, places, change))))));
  $("by-group-title").textContent = `${outcome.title} by ${name}: ${change ? "effect of each lesion" : "factual and under each lesion"}`;
  $("by-group-note").textContent = `${change ? `Effect, in ${outcome.unit}` : `Value in ${outcome.levelUnit}; the first row is the intact model`}. ` +
    "Tint: size and side of the change. Bold: its interval excludes zero." + (D.gallery.examples.length ? " Click a cell to see examples." : "");
  $("by-group-table").replaceChildren();
  fill($("by-group-table"), null, [
    h("thead", null, h("tr", null, h("td"), groups.map((g) => h("th", { scope: "col" }, D.groups[g].label)))),
    !change && h("tbody", null, h("tr", { class: "intact" }, h("th", { scope: "row" }, "intact model"),
      intact.map((r) => h("td", null, r ? plain(scaled(outcome, r.factual_mean), places) : NONE)))), bodies]);
  $("cells").value = change ? "change" : "level";
  $("factor-label").hidden = Object.keys(D.factors).length < 2;
  options($("factor"), Object.keys(D.factors).map((f) => [f, f.replaceAll("_", " ")]), factor, (v) => set({ factor: v }));
}

function drawHeads() {
  if (!$("heads")) return;
  const o = outcomeIndex(), g = groupIndex(), outcome = D.outcomes[o];
  const found = D.heads.map(([panel, layer, head, lesion]) => ({ panel, layer, head, r: effectOf(o, g, lesion) }));
  const most = Math.max(0, ...found.map((f) => Math.abs(outcome.scale * (f.r?.ate ?? 0))));
  const panels = [...new Set(found.map((f) => f.panel))];
  $("heads-note").textContent = `Effect of each head on ${outcome.phrase}, ${outcome.unit}, ` +
    `${g === ALL ? "all examples" : D.groups[g].label}. Layers down, heads across. Bold: its interval excludes zero.`;
  $("heads-panels").replaceChildren(...panels.map((panel) => {
    const mine = found.filter((f) => f.panel === panel);
    const layers = 1 + Math.max(...mine.map((f) => f.layer)), heads = 1 + Math.max(...mine.map((f) => f.head));
    const at = (layer, head) => mine.find((f) => f.layer === layer && f.head === head)?.r;
    const count = (n) => [...Array(n).keys()];
    return h("table", { class: "grid" }, h("caption", null, panel),
      h("thead", null, h("tr", null, h("td"), count(heads).map((i) => h("th", { scope: "col" }, String(i))))),
      h("tbody", null, count(layers).map((l) => h("tr", null, h("th", { scope: "row" }, `layer ${l}`),
        count(heads).map((i) => cellOf(at(l, i), outcome, most, outcome.decimals, true))))));
  }));
}

$("cells")?.addEventListener("change", () => set({ cells: $("cells").value }));
views.push({ needs: ["outcome", "cells", "factor"], draw: drawGroups }, { needs: ["outcome", "group"], draw: drawHeads });
