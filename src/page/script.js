// What a pointer and a keyboard can do with the report. Without this script the page is whole.
"use strict";
(() => {
  const hint = (keys) => `point at the chart, or focus it and press ${keys}`;
  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  // Tables: a button in each header puts the rows in the order of its column.
  for (const table of document.querySelectorAll("table[data-sortable]")) {
    const headers = [...table.tHead.rows[0].cells];
    headers.forEach((header, column) => {
      const button = make("button", { type: "button" }, ...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => {
        const falling = header.getAttribute("aria-sort") === "ascending";
        headers.forEach((other) => other.removeAttribute("aria-sort"));
        header.setAttribute("aria-sort", falling ? "descending" : "ascending");
        const key = (row) => {
          const cell = row.cells[column];
          return "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent;
        };
        const compare = (one, other) => {
          const [a, b] = [key(one), key(other)];
          const numbers = typeof a === "number" && typeof b === "number";
          return numbers ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
        };
        const body = table.tBodies[0];
        const rows = [...body.rows].sort(compare);
        body.append(...(falling ? rows.reverse() : rows));
      });
    });
  }

  // Charts: series can be hidden, values read off, and a horizontal axis stretched.
  document.querySelectorAll("figure.chart").forEach((figure, number) => {
    const svg = figure.querySelector("svg");
    const box = figure.querySelector(".scroll");
    const readings = "readings" in figure.dataset ? JSON.parse(figure.dataset.readings) : null;
    const tools = make("div", { className: "tools" });
    const button = (text, act) => {
      const made = make("button", { type: "button" }, text);
      made.addEventListener("click", () => act(made));
      tools.append(made);
      return made;
    };
    const draw = (tag, attributes, parent = svg) => {
      const element = document.createElementNS(svg.namespaceURI, tag);
      const entries = Object.entries(attributes);
      entries.forEach(([name, value]) => element.setAttribute(name, value));
      parent.append(element);
      return element;
    };

    const hidden = new Set();
    const groups = [...svg.querySelectorAll("[data-series]")];
    const names = [...new Set(groups.map((group) => group.dataset.series))];
    for (const name of names.length > 1 ? names : []) {
      const toggle = button(name, () => {
        const shown = hidden.delete(name) || (hidden.add(name), false);
        toggle.setAttribute("aria-pressed", shown);
        const own = groups.filter((group) => group.dataset.series === name);
        own.forEach((group) => group.setAttribute("display", shown ? "inline" : "none"));
      });
      toggle.setAttribute("aria-pressed", "true");
    }
    if (readings) readable();
    if (tools.childElementCount > 0) box.before(tools);

    function readable() {
      // Some charts are read row by row: they have no axis to be stretched.
      const across = readings.direction === "columns";
      const [left, right] = readings.span;
      let [from, to] = [left, right];
      const place = (column) => left + ((column - from) / (to - from)) * (right - left);
      const column = (at) => from + ((at - left) / (right - left)) * (to - from);

      // Where every point stands before anything is stretched.
      const numbers = (element, name) => Number(element.getAttribute(name));
      const parts = [...svg.querySelectorAll("[data-stretch] *")].map((element) => {
        const whole = element.closest("[data-stretch]").dataset.stretch === "move";
        const text = element.getAttribute("points");
        const points = text?.trim().split(/\s+/).map((point) => point.split(",").map(Number));
        const path = element.getAttribute("d");
        const name = { circle: "cx", text: "x", rect: "x" }[element.tagName];
        return { element, whole, points, path, name, at: name ? numbers(element, name) : 0 };
      });
      const clip = draw("clipPath", { id: `clip-${number}` });
      const { width, height } = svg.viewBox.baseVal;
      draw("rect", { x: left, y: 0, width: right - left, height }, clip);
      const stretch = () => {
        for (const { element, whole, points, path, name, at } of parts) {
          if (points) {
            const columns = points.map(([x]) => x);
            const middle = (Math.min(...columns) + Math.max(...columns)) / 2;
            const moved = (x) => (whole ? place(middle) + x - middle : place(x));
            const all = points.map(([x, y]) => `${moved(x).toFixed(1)},${y}`);
            element.setAttribute("points", all.join(" "));
          } else if (path) {
            const moved = path.replace(/([\d.]+),/g, (_, x) => `${place(Number(x)).toFixed(1)},`);
            element.setAttribute("d", moved);
          } else if (name) {
            element.setAttribute(name, place(at).toFixed(1));
          }
        }
        const zoomed = from > left || to < right;
        for (const group of svg.querySelectorAll("[data-stretch]")) {
          if (zoomed) group.setAttribute("clip-path", `url(#clip-${number})`);
          else group.removeAttribute("clip-path");
        }
        reset.disabled = out.disabled = !zoomed;
        show(current);
      };
      const zoom = (low, high) => {
        if (!across) return;
        const least = (right - left) / 200;
        from = Math.max(left, Math.min(low, right - least));
        to = Math.min(right, Math.max(high, from + least));
        stretch();
      };
      const scale = (factor) => {
        const middle = current === null ? (from + to) / 2 : readings.places[current];
        const half = ((to - from) / 2) * factor;
        zoom(middle - half, middle + half);
      };
      const tool = (text, keys, act) => {
        const made = across ? button(text, act) : make("button");
        made.title = keys;
        return made;
      };
      tool("Zoom in", "Key: +. Dragging zooms into a part.", () => scale(0.5));
      const out = tool("Zoom out", "Key: −", () => scale(2));
      const reset = tool("Reset", "Key: Esc", () => zoom(left, right));

      // The values at a place: a line through the plots and a list of what can be read there.
      const told = make("dl", { className: "readout" });
      told.setAttribute("aria-live", "polite");
      box.after(told);
      const keys = across ? "ArrowLeft ArrowRight + - Escape" : "ArrowUp ArrowDown Escape";
      box.setAttribute("aria-keyshortcuts", keys);
      const ends = across ? { y1: 0, y2: height } : { x1: 0, x2: width };
      const line = draw("line", { ...ends, stroke: "#555555", display: "none" });
      let current = null;
      const show = (index) => {
        current = index;
        const at = index === null ? NaN : place(readings.places[index]);
        const seen = at >= left && at <= right;
        line.setAttribute("display", seen ? "inline" : "none");
        const entry = (term, text) =>
          make("div", {}, make("dt", {}, term), make("dd", {}, text));
        if (!seen) {
          told.replaceChildren(entry("Values", hint(across ? "← or →" : "↑ or ↓")));
          return;
        }
        for (const end of across ? ["x1", "x2"] : ["y1", "y2"]) line.setAttribute(end, at);
        const plots = readings.plots.map((plot) => {
          const lines = plot.lines.filter((own) => own.values[index] && !hidden.has(own.series));
          const value = (own) => {
            const name = own.part ? `${own.series} ${own.part}` : own.series;
            return `${name}: ${own.values[index]}`;
          };
          return entry(plot.title, lines.map(value).join(" · ") || "–");
        });
        told.replaceChildren(entry(across ? "At" : "Of", readings.labels[index]), ...plots);
        // What stands below does not move to and fro with the pointer.
        told.style.minHeight = `${told.offsetHeight}px`;
      };
      const nearest = (at) => {
        const wanted = column(at);
        let best = null;
        readings.places.forEach((own, index) => {
          const distance = Math.abs(own - wanted);
          if (best === null || distance < Math.abs(readings.places[best] - wanted)) best = index;
        });
        return best;
      };
      const pixel = (event) => {
        const frame = svg.getBoundingClientRect();
        return across
          ? ((event.clientX - frame.left) / frame.width) * width
          : ((event.clientY - frame.top) / frame.height) * height;
      };

      let drag = null;
      const area = draw("rect", { y: 0, height, fill: "#0072B2", opacity: 0.15, display: "none" });
      const follow = (event) => {
        const at = pixel(event);
        show(at >= left && at <= right ? nearest(at) : null);
      };
      svg.addEventListener("pointermove", (event) => {
        const at = pixel(event);
        follow(event);
        if (drag === null) return;
        area.setAttribute("x", Math.min(drag, at));
        area.setAttribute("width", Math.abs(at - drag));
        area.setAttribute("display", "inline");
      });
      svg.addEventListener("pointerdown", (event) => {
        follow(event);
        if (across && event.pointerType !== "touch" && event.button === 0) drag = pixel(event);
      });
      addEventListener("pointerup", (event) => {
        if (drag === null) return;
        const [one, other] = [drag, pixel(event)].sort((a, b) => a - b);
        drag = null;
        area.setAttribute("display", "none");
        if (other - one > 8) zoom(column(one), column(other));
      });
      svg.addEventListener("pointerleave", () => drag ?? show(null));
      svg.addEventListener("dblclick", () => zoom(left, right));
      box.addEventListener("keydown", (event) => {
        const steps = across ? { ArrowLeft: -1, ArrowRight: 1 } : { ArrowUp: -1, ArrowDown: 1 };
        const step = steps[event.key];
        if (step) {
          const last = readings.places.length - 1;
          const next = current === null ? (step > 0 ? 0 : last) : current + step;
          show(Math.max(0, Math.min(last, next)));
        } else if (event.key === "+") scale(0.5);
        else if (event.key === "-") scale(2);
        else if (event.key === "Escape") zoom(left, right), show(null);
        else return;
        event.preventDefault();
      });
      reset.disabled = out.disabled = true;
      show(null);
    }
  });
})();
