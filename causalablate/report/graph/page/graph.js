// Pointing at a line or a box shows what is known of it, and dims everything else.
const D = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const drawing = $("drawing"), tip = $("tip");
const lines = [...drawing.querySelectorAll(".edge")], boxes = [...drawing.querySelectorAll(".node")];
let pinned = null;

function h(tag, ...children) {
  const element = document.createElement(tag);
  element.append(...children);
  return element;
}

function show(said, near, at) {
  drawing.classList.add("pointing");
  lines.forEach((line, i) => line.classList.toggle("near", near.edges.has(i)));
  boxes.forEach((box, i) => box.classList.toggle("near", near.nodes.has(i)));
  tip.replaceChildren(h("b", said.title), h("dl", ...said.rows.flatMap(([k, v]) => [h("dt", k), h("dd", v)])));
  tip.hidden = false;
  const x = Math.min(at.x + 14, innerWidth - tip.offsetWidth - 8), below = at.y + 16;
  tip.style.left = `${Math.max(8, x)}px`;
  tip.style.top = `${below + tip.offsetHeight > innerHeight ? Math.max(8, at.y - tip.offsetHeight - 12) : below}px`;
}

function leave() {
  if (pinned) return;
  drawing.classList.remove("pointing");
  tip.hidden = true;
}

function edge(i, at) {
  const e = D.edges[i];
  show(e, { edges: new Set([i]), nodes: new Set([e.from, e.to]) }, at);
}

function node(i, at) {
  const edges = D.edges.flatMap((e, k) => (e.from === i || e.to === i ? [k] : []));
  show(D.nodes[i], { edges: new Set(edges), nodes: new Set([i, ...edges.flatMap((k) => [D.edges[k].from, D.edges[k].to])]) }, at);
}

const under = (element) => { const r = element.getBoundingClientRect(); return { x: r.left, y: r.bottom }; };
const listen = (element, point) => {
  element.addEventListener("pointermove", (event) => { if (!pinned) point({ x: event.clientX, y: event.clientY }); });
  element.addEventListener("pointerleave", leave);
  element.addEventListener("click", (event) => {
    pinned = pinned === element ? null : element;
    if (pinned) point({ x: event.clientX, y: event.clientY }); else leave();
    event.stopPropagation();
  });
};
lines.forEach((line, i) => listen(line, (at) => edge(i, at)));
boxes.forEach((box, i) => {
  listen(box, (at) => node(i, at));
  box.addEventListener("focus", () => { if (!pinned && box.matches(":focus-visible")) node(i, under(box)); });
  box.addEventListener("blur", leave);
});
document.addEventListener("click", () => { pinned = null; leave(); });
document.addEventListener("keydown", (event) => { if (event.key === "Escape") { pinned = null; leave(); } });

// Rows of the table of edges point at their lines.
[...document.querySelectorAll("#edge-table tbody tr")].forEach((row, i) => {
  row.dataset.edge = D.order[i];
  row.addEventListener("pointerenter", () => { if (!pinned) edge(D.order[i], under(row)); });
  row.addEventListener("pointerleave", leave);
});

function thin() {
  const least = Number($("least").value) / 100, also = $("possible").checked;
  lines.forEach((line, i) => {
    line.classList.toggle("thin", D.edges[i].share < least);
    line.classList.toggle("off", D.edges[i].bare && !also);
  });
  const n = lines.filter((line) => !line.matches(".thin, .off")).length;
  $("count").textContent = `${n} of ${lines.length} lines`;
}
$("least").addEventListener("input", thin);
$("possible").addEventListener("change", thin);
thin();
document.documentElement.dataset.ready = "true";
