// Small charts of the last ten minutes: one line per version.
const SPAN = 600;
// What the gateway saw before the page was opened comes in slices of ten seconds.
const JOINED = 15;
const HEIGHT = 150;
const MARGIN = { left: 52, right: 10, top: 10, bottom: 24 };
const DASHES = ["", "7 3", "2 3", "9 3 2 3"];

// The lowest of 1, 2 and 5 times a power of ten that is at least this.
const round = (most) => {
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= most * 0.999);
};

const draw = (parent, tag, attributes, text) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
};

// The line through points, broken where a value is missing or nothing was seen for long. A point alone
// becomes a dot, by the round ends of lines.
const path = (points, across, up) => {
  let pen = "";
  let before = null;
  for (const { at, value } of points) {
    if (value !== null) {
      const joined = before !== null && before.value !== null && at - before.at < JOINED;
      const place = `${across(at).toFixed(1)} ${up(value).toFixed(1)}`;
      pen += joined ? `L${place}` : `M${place}l0 0`;
    }
    before = { at, value };
  }
  return pen;
};

// `ticks` writes the figures of the axis, which reaches to `least` at least and to `cap` at most.
const trend = (title, { format, ticks, least, cap }) => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("role", "img");
  const legend = make("span");
  const head = make("p", { className: "trend-title" }, title, legend);
  const root = make("figure", { className: "trend" }, head, svg);

  // `lines`: of each version its name, its look and its points; `limits`: the thresholds of rules;
  // `marks`: when something happened; `now`: where the right edge is. Times are in seconds.
  const show = (lines, limits, marks, now) => {
    const width = Math.max(260, Math.round(root.clientWidth));
    const shown = lines.map((line) => ({
      ...line,
      points: line.points.filter(({ at }) => at >= now - SPAN),
    }));
    const values = shown.flatMap(({ points }) => points.map(({ value }) => value ?? 0));
    const highest = Math.max(least, ...values);
    // A threshold far above all values would press them flat.
    const near = limits.filter((limit) => limit <= highest * 6);
    const most = Math.min(cap, round(Math.max(highest, ...near) * 1.05));
    const across = (at) =>
      MARGIN.left + (1 - (now - at) / SPAN) * (width - MARGIN.left - MARGIN.right);
    const up = (value) => HEIGHT - MARGIN.bottom - (value / most) * (HEIGHT - MARGIN.top - MARGIN.bottom);
    svg.replaceChildren();
    attribute(svg, "viewBox", `0 0 ${width} ${HEIGHT}`);
    attribute(svg, "width", String(width));
    attribute(svg, "height", String(HEIGHT));
    for (const value of [0, most / 2, most]) {
      const y = up(value);
      draw(svg, "line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y, y2: y });
      const place = { class: "tick", x: MARGIN.left - 6, y: y + 4, "text-anchor": "end" };
      draw(svg, "text", place, value === 0 ? "0" : ticks(value));
    }
    for (const [minutes, anchor] of [[10, "start"], [5, "middle"], [0, "end"]]) {
      const place = { class: "tick", x: across(now - minutes * 60), y: HEIGHT - 6, "text-anchor": anchor };
      draw(svg, "text", place, minutes === 0 ? "now" : `−${minutes} min`);
    }
    for (const limit of near) {
      const y = up(limit);
      draw(svg, "line", { class: "limit", x1: MARGIN.left, x2: width - MARGIN.right, y1: y, y2: y });
    }
    const recent = marks.filter((mark) => mark >= now - SPAN && mark <= now);
    const signs = [
      near.length > 0 ? " · dashes: threshold of a rule" : "",
      recent.length > 0 ? " · bar: rollback" : "",
    ];
    put(legend, signs.join(""));
    for (const at of recent) {
      const x = across(at);
      draw(svg, "line", { class: "mark-line", x1: x, x2: x, y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom });
    }
    for (const { look, points } of shown) {
      const line = { class: `line v${look % 7}`, d: path(points, across, up) };
      draw(svg, "path", { ...line, "stroke-dasharray": DASHES[look % DASHES.length] });
    }
    const said = shown.map(({ name, points }) => {
      const seen = points.map(({ value }) => value).filter((value) => value !== null);
      if (seen.length === 0) return `${name}: no requests`;
      return `${name}: now ${format(points.at(-1).value)}, highest ${format(Math.max(...seen))}`;
    });
    attribute(svg, "aria-label", `${title}. ${said.join("; ")}`);
  };
  return { root, show };
};
