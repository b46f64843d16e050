// The forest: each row's interval and marker in percent of the column's width, so that it fits any width.
function scaleOf(list, outcome) {
  const ends = list.flatMap((r) => [r.ci_low, r.ci_high, r.ate]).filter(known).map((x) => outcome.scale * x);
  const least = known(outcome.sesoi) ? 2 * outcome.sesoi * outcome.scale : 0;
  let low = Math.min(-least, 0, ...ends), high = Math.max(least, 0, ...ends);
  const margin = 0.05 * (high - low) || 1;
  low -= margin; high += margin;
  const raw = (high - low) / 5, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const ticks = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) ticks.push(k * step);
  const places = Math.max(0, -Math.floor(Math.log10(step)));
  return { at: (x) => `${(100 * (x - low) / (high - low)).toFixed(3)}%`, ticks, places };
}

// Grid lines, the band of negligible effects, and the zero line.
function groundOf(scale, outcome) {
  const upright = (name, x) => svg("line", { class: name, x1: x, x2: x, y1: 0, y2: "100%" });
  const parts = scale.ticks.map((t) => upright("tick", scale.at(t)));
  if (known(outcome.sesoi)) {
    const low = scale.at(-outcome.sesoi * outcome.scale), width = parseFloat(scale.at(outcome.sesoi * outcome.scale)) - parseFloat(low);
    parts.push(svg("rect", { class: "band", x: low, width: `${width}%`, y: 0, height: "100%" }));
  }
  return [...parts, upright("zero", scale.at(0))];
}
const forestGround = (scale, outcome) => svg("svg", { "aria-hidden": "true" }, groundOf(scale, outcome));

function forestRow(r, outcome, scale, title) {
  const kind = verdict(r, outcome), x = (v) => scale.at(outcome.scale * v);
  const parts = groundOf(scale, outcome);
  if (known(r.ci_low) && known(r.ci_high)) {
    parts.push(svg("line", { class: "range", x1: x(r.ci_low), x2: x(r.ci_high), y1: "50%", y2: "50%" }));
  }
  if (known(r.ate)) parts.push(svg("svg", { x: x(r.ate), y: "50%", overflow: "visible" }, glyph(kind)));
  return svg("svg", { class: kind, role: "img", "aria-label": title }, svg("title", null, title), parts);
}

function forestAxis(scale) {
  return svg("svg", { class: "axis", "aria-hidden": "true" }, scale.ticks.map((t) => [
    svg("text", { x: scale.at(t), y: 27 }, plain(t, scale.places)),
    svg("line", { class: "tick", x1: scale.at(t), x2: scale.at(t), y1: 30, y2: "100%" }),
  ]));
}
