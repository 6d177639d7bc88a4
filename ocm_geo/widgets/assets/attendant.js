// Attends the map that it stands on, and is not seen: it names it for those who hear it, minds its
// notes, and holds back what would keep the kernel busy.
const TRIES = 600, NARROW = 620, LOW = 330, PAUSE_MS = 100;
const ROOM = 120, SETTLED_MS = 400;

const overlap = (a, b) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

// On a small map notes begin folded, and one that was folded stays so when its text changes. None
// is higher than the map, and one that hides a popup is folded until that is closed.
function mindNotes(map) {
  let open = map.clientWidth >= NARROW && map.clientHeight >= LOW;
  const known = new WeakSet();
  const folded = new Set();
  let timer;
  const yieldToPopup = () => {
    const popup = map.querySelector(".leaflet-popup")?.getBoundingClientRect();
    if (!popup) {
      folded.forEach((note) => { note.open = open; });
      folded.clear();
      return;
    }
    for (const note of map.querySelectorAll("details[open]")) {
      if (!overlap(popup, note.closest(".leaflet-control").getBoundingClientRect())) continue;
      folded.add(note);
      note.open = false;
    }
  };
  const look = () => {
    for (const note of map.querySelectorAll("details")) {
      if (known.has(note)) continue;
      known.add(note);
      note.open = open;
      note.style.maxHeight = `${Math.max(map.clientHeight - ROOM, ROOM)}px`;
      note.addEventListener("toggle", () => {
        if (note.isConnected && !folded.has(note)) open = note.open;
      });
    }
    clearTimeout(timer);
    timer = setTimeout(yieldToPopup, SETTLED_MS);
  };
  const seen = new MutationObserver(look);
  seen.observe(map, { childList: true, subtree: true });
  look();
  return () => {
    clearTimeout(timer);
    seen.disconnect();
  };
}

// ipyleaflet sends every move of the mouse to the kernel, twice over a layer; a pan would wait
// behind hundreds of them. While a button is held none is sent (the map moves with the mouse), else
// ten a second; all while something is drawn. Leaflet's dragging listens elsewhere and goes on.
function calmMouse(map) {
  const OFF = "_leaflet_disable_events", KINDS = ["mousemove", "mouseover", "mouseout"];
  let last = 0;
  let held = null;
  const before = (event) => {
    const soon = event.type === "mousemove" && event.timeStamp - last < PAUSE_MS;
    if (map.classList.contains("geoman-draw-cursor") || !(event.buttons || soon)) {
      if (event.type === "mousemove") last = event.timeStamp;
    } else if (!event.target[OFF]) {
      held = event.target;
      held[OFF] = true;
    }
  };
  const after = () => {
    if (held) delete held[OFF];
    held = null;
  };
  for (const kind of KINDS) {
    map.addEventListener(kind, before, true);
    window.addEventListener(kind, after);
  }
  window.addEventListener("mouseup", after, true);
  return () => {
    for (const kind of KINDS) {
      map.removeEventListener(kind, before, true);
      window.removeEventListener(kind, after);
    }
    window.removeEventListener("mouseup", after, true);
    after();
  };
}

function render({ model, el }) {
  let tries = 0;
  let ends = [];
  const apply = () => {
    const map = el.closest(".leaflet-container");
    if (!map || !map.clientWidth) {
      if (++tries < TRIES) requestAnimationFrame(apply);
      return;
    }
    map.setAttribute("role", "application");
    map.setAttribute("aria-label", model.get("label"));
    el.closest(".leaflet-control").style.display = "none";
    ends = [mindNotes(map), calmMouse(map)];
  };
  apply();
  return () => ends.forEach((end) => end());
}
export default { render };
