// Names the map that this stands on, for those who hear it; the rest of it is not seen.
const TRIES = 600;

function render({ model, el }) {
  let tries = 0;
  const apply = () => {
    const map = el.closest(".leaflet-container");
    if (!map) {
      if (++tries < TRIES) requestAnimationFrame(apply);
      return;
    }
    map.setAttribute("role", "application");
    map.setAttribute("aria-label", model.get("label"));
    el.closest(".leaflet-control").style.display = "none";
  };
  apply();
}
export default { render };
