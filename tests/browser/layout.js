// What a reader would trip over in the report as it is laid out now: a list of texts.
"use strict";
(() => {
  const findings = [];
  const name = (element) => element.outerHTML.slice(0, 160).replace(/\s+/g, " ");
  const tell = (what, element) => findings.push(`${what}: ${name(element)}`);
  const seen = (element) => element.checkVisibility({ visibilityProperty: true });

  // The sections stand in the order of the report's design, or of a comparison's.
  const report = [
    "verdict", "gate", "comparison", "timeline", "distributions", "outcomes", "rules", "scenario",
    "provenance",
  ];
  const comparison = [
    "verdict", "scenarios", "comparison", "figures", "changes", "timeline", "distributions", "runs",
  ];
  // The dashboard shows either the one or the other.
  const dashboard = ["enter", "summary", "models", "journal"];
  const all = [...document.querySelectorAll(":is(main, #board) > :is(header, section)")];
  const sections = document.querySelector("#board") ? all.filter(seen) : all;
  const order = document.querySelector("#board")
    ? dashboard.filter((id) => seen(document.getElementById(id)))
    : document.querySelector("#runs") ? comparison : report;
  const tops = sections.map((section) => section.getBoundingClientRect().top);
  if (sections.map((section) => section.id).join() !== order.join()) {
    findings.push(`the sections are ${sections.map((section) => section.id)}`);
  }
  if (tops.some((top, index) => index > 0 && top <= tops[index - 1])) {
    findings.push(`the sections begin at the rows ${tops}`);
  }

  // Nothing is wider than the window, but for what can be moved sideways with a keyboard too.
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) findings.push(`the page is ${wide} wide in a window of ${innerWidth}`);
  const movable = (element) => {
    for (let at = element; at; at = at.parentElement) {
      if (["auto", "scroll"].includes(getComputedStyle(at).overflowX)) return at;
    }
    return null;
  };
  const hidden = (element) => element.closest("figcaption, .skip") !== null;
  const elements = [...document.body.querySelectorAll("*")].filter(
    (element) => !element.ownerSVGElement && seen(element) && !hidden(element),
  );
  for (const element of elements) {
    const { left, right, width } = element.getBoundingClientRect();
    const outside = width > 0 && (left < -0.5 || right > innerWidth + 0.5);
    if (outside && !movable(element)) tell("reaches out of the window", element);
    const style = getComputedStyle(element);
    const cut = ["hidden", "clip"].includes(style.overflowX) || style.textOverflow === "ellipsis";
    if (cut && element.scrollWidth > element.clientWidth) tell("is cut", element);
    if (movable(element) === element && element.scrollWidth > element.clientWidth + 1) {
      const named = element.getAttribute("role") && element.getAttribute("aria-label");
      const reached = element.tabIndex === 0 && named;
      if (!reached && !element.querySelector("a[href]")) tell("no key moves it sideways", element);
    }
  }

  // No text stands on another.
  const overlapping = (boxes, tolerance, found) => {
    boxes.sort((one, other) => one.top - other.top);
    boxes.forEach((one, index) => {
      for (const other of boxes.slice(index + 1)) {
        if (other.top > one.bottom) break;
        const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
        const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
        if (across > tolerance && down > tolerance && one.of !== other.of) found(one, other);
      }
    });
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const boxes = [];
  while (texts.nextNode()) {
    const parent = texts.currentNode.parentElement;
    const apart = parent.ownerSVGElement || hidden(parent) || parent.closest("nav, script, style");
    if (apart || !texts.currentNode.data.trim() || !seen(parent)) continue;
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    for (const { top, bottom, left, right } of range.getClientRects()) {
      // The box of a line is higher than its letters.
      const inset = (bottom - top) * 0.2;
      boxes.push({ top: top + inset, bottom: bottom - inset, left, right, of: texts.currentNode });
    }
  }
  const said = (box) => box.of.data.trim().slice(0, 40);
  overlapping(boxes, 1, (one, other) =>
    findings.push(`"${said(one)}" and "${said(other)}" stand on each other`),
  );

  // Nor in a chart, where every text is within the picture as a whole.
  for (const svg of document.querySelectorAll("figure:is(.chart, .trend) svg")) {
    const frame = svg.viewBox.baseVal;
    const letters = [];
    for (const text of svg.querySelectorAll("text")) {
      if (!text.textContent.trim()) continue;
      const { x, y, width, height } = text.getBBox();
      const size = parseFloat(getComputedStyle(text).fontSize);
      const middle = y + height / 2;
      // Capitals are about 0.73 em high.
      const box = {
        left: x, right: x + width, top: middle - size * 0.36, bottom: middle + size * 0.36, of: text,
      };
      const out = box.left < 0 || box.right > frame.width || box.top < 0 || box.bottom > frame.height;
      if (out) tell("is cut off by the edge of its chart", text);
      if (width === 0) tell("is not drawn", text);
      letters.push(box);
    }
    if (letters.length === 0) tell("has no text", svg);
    overlapping(letters, 2, (one, other) =>
      findings.push(
        `in a chart "${one.of.textContent}" and "${other.of.textContent}" stand on each other`,
      ),
    );
  }
  return findings;
})();
