// Attends the map that it stands on, and is not seen: it names it for those who hear it, minds its
// notes, and holds back what would keep the kernel busy.
const TRIES = 600, NARROW = 620, LOW = 330, PAUSE_MS = 100;
const ROOM = 120, SETTLED_MS = 400, HINT_MS = 1500;
const ASK_MS = 5000, ANSWER_MS = 8000;

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

// The page scrolls when the wheel turns over a map that nobody has clicked.
function tameWheel(map) {
  let active = false, timer;
  const hint = document.createElement("div");
  hint.className = "ocm-hint";
  hint.textContent = "Click the map or hold Ctrl to zoom with the wheel";
  map.append(hint);
  const turn = (event) => {
    if (active || event.ctrlKey || event.metaKey || document.fullscreenElement) return;
    event.stopPropagation();
    hint.classList.add("shown");
    clearTimeout(timer);
    timer = setTimeout(() => hint.classList.remove("shown"), HINT_MS);
  };
  const press = (event) => {
    active = map.contains(event.target);
    hint.classList.remove("shown");
  };
  map.addEventListener("wheel", turn, true);
  document.addEventListener("mousedown", press, true);
  return () => {
    clearTimeout(timer);
    hint.remove();
    map.removeEventListener("wheel", turn, true);
    document.removeEventListener("mousedown", press, true);
  };
}

const ICONS = {
  home: "M2 8L8 2l6 6M4 7v7h8V7",
  full: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
  many: "M4 4h.1M11 3h.1M8 8h.1M3 12h.1M12 12h.1M13 8h.1",
};

function addTools(map, model) {
  const bar = document.createElement("div");
  bar.className = "leaflet-bar leaflet-control ocm-tools";
  const add = (icon, name, act) => {
    const button = document.createElement("button");
    button.type = "button";
    button.title = name;
    button.setAttribute("aria-label", name);
    button.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[icon]}"/></svg>`;
    button.addEventListener("click", act);
    bar.append(button);
    return button;
  };
  add("home", "Home view", () => {
    model.set("home", model.get("home") + 1);
    model.save_changes();
  });
  add("full", "Full screen", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else map.requestFullscreen();
  });
  if (model.get("many")) {
    const button = add("many", "Draw every station as a point", () => {
      model.set("many", model.get("many") === "points" ? "groups" : "points");
      model.save_changes();
      press();
    });
    const press = () => button.setAttribute("aria-pressed", model.get("many") === "points");
    press();
  }
  for (const kind of ["mousedown", "click", "dblclick", "wheel"]) {
    bar.addEventListener(kind, (event) => event.stopPropagation());
  }
  map.querySelector(".leaflet-top.leaflet-left").append(bar);
  return () => bar.remove();
}

function writeTitle(map, model) {
  const line = document.createElement("div");
  line.className = "ocm-title";
  const show = () => {
    line.textContent = model.get("title");
    line.hidden = !line.textContent;
  };
  show();
  model.on("change:title", show);
  map.append(line);
  return () => line.remove();
}

function followTheme(map) {
  const show = () => {
    const body = document.body;
    const dark = body.dataset.jpThemeLight === "false" || body.classList.contains("theme-dark");
    map.classList.toggle("ocm-dark", dark);
  };
  const seen = new MutationObserver(show);
  seen.observe(document.body, { attributeFilter: ["data-jp-theme-light", "class"] });
  show();
  return () => seen.disconnect();
}

// Leaflet looks at its size when the window changes; a cell can change alone.
function followSize(map) {
  let width = map.clientWidth, height = map.clientHeight;
  const seen = new ResizeObserver(() => {
    if (map.clientWidth === width && map.clientHeight === height) return;
    [width, height] = [map.clientWidth, map.clientHeight];
    window.dispatchEvent(new Event("resize"));
  });
  seen.observe(map);
  return () => seen.disconnect();
}

// The picture of this map, an output of its own, is for where the map is not live.
function hidePicture(model) {
  const mark = model.get("mark");
  if (!mark) return;
  for (const image of document.images) {
    if (!image.src.startsWith("data:") || !image.src.slice(0, 600).includes(mark)) continue;
    const output = image.closest(".jp-OutputArea-child, .output_area, .output_subarea");
    (output ?? image).style.display = "none";
  }
}

// A kernel that was restarted says so; one that was shut down does not, and is asked when the map
// is used. One that is busy answers later, and the notice goes.
function tellEnd(map, model) {
  const notice = document.createElement("div");
  notice.className = "ocm-notice";
  notice.setAttribute("role", "status");
  notice.textContent = "The kernel does not answer: this is the last view. Run the cell again for a live map.";
  let timer, asked = -Infinity;
  const show = () => map.isConnected && map.append(notice);
  const answer = () => {
    clearTimeout(timer);
    notice.remove();
  };
  const ask = (event) => {
    if (event.timeStamp - asked < ASK_MS) return;
    asked = event.timeStamp;
    clearTimeout(timer);
    timer = setTimeout(show, ANSWER_MS);
    try {
      model.send({ ask: true });
    } catch {
      show();
    }
  };
  model.on("msg:custom", answer);
  model.on("comm_live_update", show);
  for (const kind of ["pointerdown", "wheel", "keydown"]) map.addEventListener(kind, ask, true);
  return () => {
    answer();
    for (const kind of ["pointerdown", "wheel", "keydown"]) map.removeEventListener(kind, ask, true);
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
    hidePicture(model);
    const helpers = [addTools, writeTitle, followTheme, followSize, tellEnd, tameWheel];
    ends = [mindNotes(map), calmMouse(map), ...helpers.map((help) => help(map, model))];
  };
  apply();
  return () => ends.forEach((end) => end());
}
export default { render };
