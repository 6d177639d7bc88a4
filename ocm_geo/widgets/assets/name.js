// Names the map that this stands on, for those who hear it, and minds its notes: on a small map
// they begin folded, and one that was folded stays so when its text changes. Nothing is seen of it.
const TRIES = 600, NARROW = 620, LOW = 330;

function mind(map) {
  let open = map.clientWidth >= NARROW && map.clientHeight >= LOW;
  const known = new WeakSet();
  const look = () => {
    for (const note of map.querySelectorAll("details")) {
      if (known.has(note)) continue;
      known.add(note);
      note.open = open;
      note.addEventListener("toggle", () => { if (note.isConnected) open = note.open; });
    }
  };
  const seen = new MutationObserver(look);
  seen.observe(map, { childList: true, subtree: true });
  look();
  return () => seen.disconnect();
}

function render({ model, el }) {
  let tries = 0;
  let forget = () => {};
  const apply = () => {
    const map = el.closest(".leaflet-container");
    if (!map || !map.clientWidth) {
      if (++tries < TRIES) requestAnimationFrame(apply);
      return;
    }
    map.setAttribute("role", "application");
    map.setAttribute("aria-label", model.get("label"));
    el.closest(".leaflet-control").style.display = "none";
    forget = mind(map);
  };
  apply();
  return () => forget();
}
export default { render };
