// Uses the report as a person would: a list of what does not happen.
"use strict";
(() => {
  const findings = [];
  const check = (holds, what) => holds || findings.push(what);

  const table = document.querySelector("table[data-sortable]");
  const header = table.tHead.rows[0].cells[0];
  const order = () => [...table.tBodies[0].rows].map((row) => row.cells[0].textContent);
  header.querySelector("button").click();
  const rising = order();
  check(header.getAttribute("aria-sort") === "ascending", "the first click sorts upwards");
  header.querySelector("button").click();
  check(order().join() === rising.reverse().join(), "the second click turns the order round");

  const figure = document.querySelector("figure.chart");
  const svg = figure.querySelector("svg");
  const toggle = figure.querySelector("button[aria-pressed]");
  const name = toggle.textContent;
  const own = [...svg.querySelectorAll("[data-series]")].filter(
    (group) => group.dataset.series === name,
  );
  check(own.length > 0, "a series has shapes");
  toggle.click();
  check(toggle.getAttribute("aria-pressed") === "false", "a toggle tells its state");
  check(own.every((group) => group.getBoundingClientRect().width === 0), "a series is hidden");
  toggle.click();
  check(own.some((group) => group.getBoundingClientRect().width > 0), "a series comes back");

  const box = figure.querySelector(".scroll");
  const key = (name) =>
    box.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
  const readout = figure.querySelector(".readout");
  check(readout.textContent.includes("←"), "how values are read is told");
  key("ArrowRight");
  const first = readout.textContent;
  check(first.includes("%"), "an arrow key reads values");
  key("ArrowRight");
  check(readout.textContent !== first, "the next column is another one");
  const frame = svg.getBoundingClientRect();
  const at = frame.left + frame.width * 0.7;
  svg.dispatchEvent(new PointerEvent("pointermove", { clientX: at, clientY: frame.top + 99 }));
  check(readout.textContent.includes("gpt-4-turbo-v2"), "a pointer reads both versions");

  // Lines without gaps are polylines, those with some are paths.
  const named = (name) => [...svg.querySelectorAll(`[data-series] [${name}]`)];
  const shapes = ["points", "d"].flatMap((name) => named(name).map((shape) => [shape, name]));
  const corners = () => shapes.map(([shape, name]) => shape.getAttribute(name));
  const before = corners();
  key("+");
  check(corners().every((text, index) => text !== before[index]), "lines are stretched");
  check(svg.querySelector("[clip-path]") !== null, "what leaves the plot is cut off");
  key("Escape");
  const numbers = (text) => text.match(/[\d.]+/g).map(Number).join();
  check(corners().map(numbers).join() === before.map(numbers).join(), "a reset brings them back");
  return findings;
})();
