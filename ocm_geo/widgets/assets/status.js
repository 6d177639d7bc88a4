// A line that is read out when it changes. Errors may quote strangers: only ever a text node.
function render({ model, el }) {
  const line = document.createElement("div");
  line.className = "ocm-status";
  const show = () => {
    line.setAttribute("role", model.get("failed") ? "alert" : "status");
    line.textContent = model.get("text");
  };
  model.on("change:text change:failed", show);
  el.append(line);
  show();
  return () => model.off("change:text change:failed", show);
}
export default { render };
