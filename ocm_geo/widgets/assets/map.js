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

function popup(station) {
  const box = document.createElement("div");
  box.className = "popup";
  element("h2", station.title, box).dir = "auto";
  const list = element("dl", "", box);
  for (const [label, text] of station.facts) {
    element("dt", label, list);
    element("dd", text, list).dir = "auto";
  }
  station.links.forEach(([text, url], i) => {
    if (i) box.appendChild(document.createTextNode(" · "));
    const link = element("a", text, box);
    link.href = url;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
  });
  return box;
}

function mark(station) {
  const marker = L.circleMarker([station.lat, station.lon], data.styles[station.code]).bindPopup(() => popup(station));
  marker.on("add", () => {
    const path = marker.getElement();
    path.setAttribute("tabindex", "0");
    path.setAttribute("role", "button");
    path.setAttribute("aria-label", station.title);
    path.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") marker.openPopup();
    });
  });
  return marker;
}

[...data.stations].sort((a, b) => a.code - b.code).forEach((s) => mark(s).addTo(map));

const zooms = Object.keys(data.groups).map(Number);
const groups = L.layerGroup().addTo(map);
function regroup() {
  if (!zooms.length) return;
  const zoom = zooms.filter((z) => z <= map.getZoom()).pop() ?? zooms[0];
  const view = map.getBounds().pad(0.2);
  groups.clearLayers();
  for (const [lat, lon, n] of data.groups[zoom]) {
    if (!view.contains([lat, lon])) continue;
    const size = Math.round(18 + 9 * Math.log10(n));
    const icon = L.divIcon({ className: "group", html: String(n), iconSize: [size, size] });
    L.marker([lat, lon], { icon, title: n + " stations", alt: n + " stations" })
      .on("click", () => map.setView([lat, lon], map.getZoom() + 2))
      .addTo(groups);
  }
}
// On a small screen the legend begins folded: the map comes first.
if (innerWidth < 620 || innerHeight < 480) document.querySelector("aside details").open = false;
map.on("moveend", regroup);
regroup();
