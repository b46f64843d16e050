// Draw what the address asks for; a link to a section scrolls and leaves the state as it is.
readAddress();
draw();
document.documentElement.dataset.ready = "true";
if (new URLSearchParams(location.hash.slice(1)).has("example")) $("examples")?.scrollIntoView();
addEventListener("hashchange", () => { if (readAddress()) draw(); });
