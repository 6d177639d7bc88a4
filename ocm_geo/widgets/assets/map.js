"use strict";
// Texts of stations are written by strangers: they only ever become text nodes.
const data = JSON.parse(document.getElementById("data").textContent);
const map = L.map("map", { maxZoom: 18, worldCopyJump: true });
map.fitBounds(data.bounds, { padding: [20, 20], maxZoom: 14 });
L.geoJSON({ type: "FeatureCollection", features: data.land }, {
  interactive: false,
  style: (feature) => feature.properties.style,
}).addTo(map);
L.control.scale({ imperial: false }).addTo(map);

function element(tag, text, parent) {
  const node = document.createElement(tag);
  node.textContent = text;
  if (parent) parent.appendChild(node);
  return node;
}

// Stations arrive as differences of whole numbers, each text once.
const { points } = data;
const stations = [];
{
  let lon = 0, lat = 0, code = 0;
  for (let i = 0; i < points.lon.length; i++) {
    lon += points.lon[i];
    lat += points.lat[i];
    code += points.code[i];
    const place = L.latLng(lat * points.unit, lon * points.unit);
    const at = L.CRS.EPSG3857.latLngToPoint(place, 0);
    stations.push({ i, place, at, code, n: points.n[i] ?? 1 });
  }
}
const word = (k, id) => (k < 0 ? points.words[-1 - k].replace("{id}", id) : points.words[k]);

function popup(station) {
  const [id, title, facts, links] = points.texts[station.i];
  const box = document.createElement("div");
  box.className = "popup";
  element("h2", word(title), box).dir = "auto";
  const list = element("dl", "", box);
  for (let k = 0; k < facts.length; k += 2) {
    element("dt", word(facts[k]), list);
    element("dd", word(facts[k + 1]), list).dir = "auto";
  }
  for (let k = 0; k < links.length; k += 2) {
    if (k) box.appendChild(document.createTextNode(" · "));
    const link = element("a", word(links[k]), box);
    link.href = word(links[k + 1], id);
    link.target = "_blank";
    link.rel = "noopener noreferrer";
  }
  return box;
}

function mark(station) {
  const marker = L.circleMarker(station.place, data.styles[station.code]);
  if (!points.texts) return marker;
  marker.bindPopup(() => popup(station));
  marker.on("add", () => {
    const path = marker.getElement();
    path.setAttribute("tabindex", "0");
    path.setAttribute("role", "button");
    path.setAttribute("aria-label", word(points.texts[station.i][1]));
    path.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") marker.openPopup();
    });
  });
  return marker;
}

// A group is a ring with the share of each class, around the number of stations.
const RING = 5, CELL = 64, MOST = 2000;
const NS = "http://www.w3.org/2000/svg";
function put(parent, name, attributes, text) {
  const node = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text) node.textContent = text;
  parent.append(node);
  return node;
}

function short(n) {
  if (n < 1000) return String(n);
  return (n < 9950 ? (n / 1000).toFixed(1) : Math.round(n / 1000)) + "k";
}

function ring(group) {
  const r = Math.min(9 + 5 * Math.log10(group.n), 0.4 * CELL);
  const svg = document.createElementNS(NS, "svg");
  const size = 2 * r + 2;
  for (const side of ["width", "height"]) svg.setAttribute(side, size);
  put(svg, "circle", { cx: r + 1, cy: r + 1, r: r + 1, fill: "#fff" });
  let start = 0;
  data.ring.forEach((colour, k) => {
    const share = (100 * group.counts[k]) / group.n;
    if (!share) return;
    put(svg, "circle", {
      cx: r + 1, cy: r + 1, r: r - RING / 2, fill: "none", stroke: colour, "stroke-width": RING, pathLength: 100,
      "stroke-dasharray": `${share} ${100 - share}`, "stroke-dashoffset": 25 - start,
    });
    start += share;
  });
  put(svg, "text", { x: r + 1, y: r + 5, "text-anchor": "middle" }, short(group.n));
  const words = group.n.toLocaleString("en") + " stations";
  const icon = L.divIcon({ className: "group", html: svg, iconSize: [size, size] });
  return L.marker([group.lat / group.n, group.lon / group.n], { icon, title: words, alt: words })
    .on("click", (event) => map.setView(event.latlng, map.getZoom() + 2));
}

const shown = L.layerGroup().addTo(map);
const classes = data.ring.length - 1;
let drawn = null;
function regroup() {
  const zoom = map.getZoom(), view = map.getBounds();
  if (drawn && drawn.zoom === zoom && drawn.view.contains(view)) return;
  const wide = view.pad(0.3);
  drawn = { zoom, view: wide };
  const inside = stations.filter((s) => wide.contains(s.place));
  shown.clearLayers();
  if (inside.length <= MOST && !points.n.length) {
    inside.forEach((s) => mark(s).addTo(shown));
    return;
  }
  const cells = new Map(), scale = 2 ** zoom / CELL;
  for (const s of inside) {
    const key = Math.floor(s.at.x * scale) * 2 ** 22 + Math.floor(s.at.y * scale);
    let group = cells.get(key);
    if (!group) cells.set(key, (group = { n: 0, lon: 0, lat: 0, counts: data.ring.map(() => 0), one: s }));
    const rank = Math.floor(s.code / 3) - 1;
    group.n += s.n;
    group.lon += s.n * s.place.lng;
    group.lat += s.n * s.place.lat;
    group.counts[rank < 0 ? classes : classes - 1 - rank] += s.n;
  }
  for (const group of cells.values()) (group.n === 1 ? mark(group.one) : ring(group)).addTo(shown);
}

const Home = L.Control.extend({
  onAdd() {
    const bar = L.DomUtil.create("div", "leaflet-bar tools");
    const add = (name, path, act) => {
      const button = L.DomUtil.create("button", "", bar);
      button.title = name;
      button.setAttribute("aria-label", name);
      const svg = document.createElementNS(NS, "svg");
      svg.setAttribute("viewBox", "0 0 16 16");
      put(svg, "path", { d: path });
      button.append(svg);
      L.DomEvent.on(button, "click", act);
    };
    add("Home view", "M2 8L8 2l6 6M4 7v7h8V7", home);
    add("Full screen", "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4", () => {
      if (document.fullscreenElement) document.exitFullscreen();
      else document.documentElement.requestFullscreen();
    });
    L.DomEvent.disableClickPropagation(bar);
    return bar;
  },
});
function home() {
  map.fitBounds(data.bounds, { padding: [20, 20], maxZoom: 14 });
}
new Home({ position: "topleft" }).addTo(map);
let moved = false;
map.on("dragstart zoomstart", (event) => { moved = moved || event.type === "dragstart"; });
map.on("resize", () => { if (!moved) home(); });

// Inside another page the wheel belongs to that page, until the map is clicked.
if (window.self !== window.top) {
  map.scrollWheelZoom.disable();
  map.on("mousedown", () => map.scrollWheelZoom.enable());
  map.on("mouseout", () => map.scrollWheelZoom.disable());
}

// The legend makes way for a popup.
const legend = document.querySelector("aside details");
let folded = false;
map.on("popupopen", (event) => {
  const a = event.popup.getElement().getBoundingClientRect();
  const b = legend.closest("aside").getBoundingClientRect();
  folded = legend.open && a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  if (folded) legend.open = false;
});
map.on("popupclose", () => {
  if (folded) legend.open = true;
  folded = false;
});
// On a small screen the legend begins folded: the map comes first.
if (innerWidth < 620 || innerHeight < 480) legend.open = false;
map.on("moveend", regroup);
regroup();
