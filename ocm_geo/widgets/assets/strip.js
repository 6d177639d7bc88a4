// A route as a strip: stations by kilometre and side, gaps below; what is touched is marked here
// and on the map. Titles are written by strangers: they only ever become text nodes.
const NS = "http://www.w3.org/2000/svg";
const MID = 74, REACH = 52, GAPS = 146, HEIGHT = 208, LEFT = 54, RIGHT = 16;

function put(parent, name, attributes, text) {
  const node = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

function step(length) {
  return [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000].find((s) => length / s <= 9) ?? 5000;
}

function render({ model, el }) {
  const { length_km: length, stations, gaps, words } = model.get("content");
  const box = document.createElement("div");
  box.className = "ocm-strip";
  const svg = put(box, "svg", {
    height: HEIGHT, tabindex: 0, role: "slider", "aria-label": words.name,
    "aria-valuemin": 0, "aria-valuemax": stations.length, "aria-orientation": "horizontal",
  });
  const told = document.createElement("output");
  told.textContent = words.hint;
  box.append(told);
  el.append(box);
  let x = () => 0;
  let at = -1;

  function mark(what) {
    model.set("marked", what);
    model.save_changes();
    show();
  }

  function draw() {
    const width = Math.max(box.clientWidth, 300);
    svg.setAttribute("width", width);
    svg.replaceChildren();
    x = (km) => LEFT + ((width - LEFT - RIGHT) * km) / length;
    put(svg, "text", { x: 4, y: MID - 22 }, words.left);
    put(svg, "text", { x: 4, y: MID + 30 }, words.right);
    put(svg, "text", { x: 4, y: GAPS + 12 }, words.gaps);
    gaps.forEach((gap, i) => {
      const w = Math.max(x(gap.end) - x(gap.start) - 1, 1);
      const bar = put(svg, "rect", {
        x: x(gap.start), y: GAPS, width: w, height: 18, fill: gap.fill, stroke: "#666", class: "gap",
        "stroke-width": 0.5, "stroke-dasharray": gap.word ? "3 3" : "none",
      });
      bar.addEventListener("mouseenter", () => { gapAt = i; mark({ gap: i }); });
      if (w > 46) {
        put(svg, "text", { x: x(gap.start) + w / 2, y: GAPS + 13, class: "inside", fill: gap.ink },
          gap.word || `${gap.km.toFixed(gap.km < 10 ? 1 : 0)} km`);
      }
    });
    put(svg, "line", { x1: x(0), x2: x(length), y1: MID, y2: MID, stroke: "#222", "stroke-width": 2 });
    stations.forEach((s, i) => {
      const tip = MID + (s.side === "right" ? 1 : -1) * REACH * s.height;
      put(svg, "line", { x1: x(s.km), x2: x(s.km), y1: MID, y2: tip, stroke: s.stroke });
      const dot = put(svg, "circle", {
        cx: x(s.km), cy: tip, r: 5, fill: s.fill, stroke: s.stroke, class: "station", "data-id": s.id,
      });
      dot.addEventListener("mouseenter", () => { at = i; mark({ station: s.id }); });
    });
    for (let km = 0; km <= length; km += step(length)) {
      put(svg, "line", { x1: x(km), x2: x(km), y1: GAPS + 22, y2: GAPS + 27, stroke: "#222" });
      put(svg, "text", { x: x(km), y: GAPS + 40, class: "inside" }, km);
    }
    put(svg, "text", { x: x(length / 2), y: HEIGHT - 4, class: "inside" }, words.axis);
    show();
  }

  function show() {
    svg.querySelectorAll(".mark").forEach((node) => node.remove());
    const marked = model.get("marked");
    const texts = [];
    stations.forEach((s, i) => {
      if (s.id !== marked.station) return;
      if (at < 0 || stations[at].id !== s.id) at = i;
      const tip = MID + (s.side === "right" ? 1 : -1) * REACH * s.height;
      put(svg, "circle", { cx: x(s.km), cy: tip, r: 9, class: "mark" });
      texts.push(s.text);
    });
    const gap = gaps[marked.gap];
    if (gap) {
      put(svg, "rect", {
        x: x(gap.start), y: GAPS - 3, width: Math.max(x(gap.end) - x(gap.start), 2), height: 24, class: "mark",
      });
      texts.push(gap.text);
    }
    told.textContent = texts.join("; ") || words.hint;
    svg.setAttribute("aria-valuenow", at + 1);
    svg.setAttribute("aria-valuetext", told.textContent);
  }

  // Left and right go through the stations, up and down through the gaps.
  const last = { station: stations.length - 1, gap: gaps.length - 1 };
  let gapAt = -1;
  let kind = "station";
  function go(what, to) {
    if (last[what] < 0) return;
    kind = what;
    const i = Math.min(Math.max(to, 0), last[what]);
    if (what === "gap") mark({ gap: (gapAt = i) });
    else mark({ station: stations[(at = i)].id });
  }
  svg.addEventListener("keydown", (event) => {
    const moves = {
      ArrowRight: () => go("station", at + 1),
      ArrowLeft: () => go("station", at - 1),
      ArrowDown: () => go("gap", gapAt + 1),
      ArrowUp: () => go("gap", gapAt - 1),
      Home: () => go(kind, 0),
      End: () => go(kind, last[kind]),
    };
    if (!(event.key in moves) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    moves[event.key]();
  });
  model.on("change:marked", show);
  const sized = new ResizeObserver(draw);
  sized.observe(box);
  return () => { sized.disconnect(); model.off("change:marked", show); };
}
export default { render };
