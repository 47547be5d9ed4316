// Elements, figures and times. Whatever comes from the gateway is put into the page as text: no part
// of this script makes markup of a string.
const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

const byId = (id) => document.getElementById(id);

// What has not changed is left alone: a selection, the focus and a screen reader stay where they are.
const put = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

const attribute = (element, name, value) => {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
};

// Lets `parent` hold one part for each key, in this order; a part that is new is built.
const keyed = (parent, keys, build) => {
  const known = (parent.parts ??= new Map());
  const wanted = new Set(keys);
  for (const [key, part] of known) {
    if (!wanted.has(key)) {
      part.root.remove();
      known.delete(key);
    }
  }
  return keys.map((key, index) => {
    if (!known.has(key)) known.set(key, build(key));
    const part = known.get(key);
    const there = parent.children[index] ?? null;
    if (there !== part.root) parent.insertBefore(part.root, there);
    return part;
  });
};

// A table whose rows narrow windows show as blocks: for that each cell has the name of its column.
// The roles say what it is where a browser forgets it with the layout.
const tableOf = (captionText, heads) => {
  const caption = make("caption", {}, captionText);
  const cells = heads.map(([text, className]) => make("th", { scope: "col", className }, text));
  const [head, body] = [make("tr", {}, ...cells), make("tbody")];
  const root = make("table", { className: "stack" }, caption, make("thead", {}, head), body);
  const roles = [["table", root], ["row", head], ["rowgroup", head.parentNode], ["rowgroup", body]];
  roles.forEach(([role, element]) => element.setAttribute("role", role));
  cells.forEach((cell) => cell.setAttribute("role", "columnheader"));
  return { root, body, caption };
};

// A row of such a table; its first cell is its name if `isNamed`.
const rowOf = (heads, isNamed) => {
  const cells = heads.map(([text, className], at) => {
    const isName = isNamed && at === 0;
    const cell = make(isName ? "th" : "td", { className });
    if (isName) cell.scope = "row";
    cell.setAttribute("role", isName ? "rowheader" : "cell");
    cell.dataset.name = text;
    return cell;
  });
  const root = make("tr", {}, ...cells);
  root.setAttribute("role", "row");
  return { root, cells };
};

// What can be moved sideways, with a keyboard too.
const scrolling = (label, table) => {
  const root = make("div", { className: "scroll", tabIndex: 0 }, table);
  root.setAttribute("role", "region");
  root.setAttribute("aria-label", label);
  return root;
};

const NONE = "–";
const counts = new Intl.NumberFormat("en");
const count = (number) => (number === null ? NONE : counts.format(number));

// A share as it is configured: 5%, 0.25%.
const weight = (share) => `${Number((share * 100).toFixed(2))}%`;

// A share as it was measured.
const percent = (share) => {
  if (share === null) return NONE;
  const hundredths = share * 100;
  return `${hundredths.toFixed(hundredths === 0 || hundredths >= 10 ? 1 : 2)}%`;
};

const millis = (time) => {
  if (time === null) return NONE;
  if (time < 10) return `${time.toFixed(1)} ms`;
  return time < 999.5 ? `${time.toFixed(0)} ms` : `${(time / 1000).toFixed(2)} s`;
};

const dollars = (amount) => (amount === null ? NONE : `$${amount.toPrecision(3)}`);

// A length of time in its two largest units: 45 s, 2 min 5 s, 1 h 30 min.
const span = (seconds) => {
  const whole = Math.max(0, Math.round(seconds));
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = units.findIndex(([size]) => whole >= size);
  if (first < 0) return "0 s";
  const [size, unit] = units[first];
  const [less, lesser] = units[first + 1] ?? [0, ""];
  const rest = less > 0 ? Math.floor((whole % size) / less) : 0;
  const head = `${Math.floor(whole / size)} ${unit}`;
  return rest > 0 ? `${head} ${rest} ${lesser}` : head;
};

const seconds = (nanoseconds) => span(nanoseconds / 1e9);

// A time of the gateway, which is UTC; with its date unless that is the gateway's today.
const clock = (at, today) => {
  const time = at.slice(11, 19);
  return at.slice(0, 10) === today.slice(0, 10) ? time : `${at.slice(0, 10)} ${time}`;
};

const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
