// A native slider with a label: it can be reached, read and moved with the keyboard alone.
function render({ model, el }) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  const told = document.createElement("output");
  const list = model.get("labels");
  label.className = "ocm-slider";
  label.append(model.get("description"), input, told);
  input.type = "range";
  input.min = 0;
  input.max = list.length - 1;
  const show = () => {
    input.value = model.get("index");
    told.textContent = list[input.value];
    input.setAttribute("aria-valuetext", told.textContent);
  };
  input.addEventListener("input", () => {
    model.set("index", Number(input.value));
    model.save_changes();
    show();
  });
  model.on("change:index", show);
  show();
  el.append(label);
  return () => model.off("change:index", show);
}
export default { render };
