// What would spoil the report on paper, as it is laid out now: a list of texts.
"use strict";
(() => {
  const findings = [];
  const check = (holds, what) => holds || findings.push(what);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const style = (element) => getComputedStyle(element);
  const height = (element) => element.getBoundingClientRect().height;
  // A4 without margins of 14 mm, in CSS pixels.
  const page = ((297 - 28) / 25.4) * 96;

  check(style(document.body).backgroundColor === "rgb(255, 255, 255)", "the ground is not white");
  check(style(document.body).color === "rgb(0, 0, 0)", "the text is not black");
  for (const ground of all(".chart svg > rect:first-of-type")) {
    check(style(ground).fill === "rgb(255, 255, 255)", "a chart's ground is not white");
  }
  for (const element of all("nav, .skip, .tools, .readout")) {
    check(style(element).display === "none", `${element.className || "nav"} is printed`);
  }
  for (const heading of all("h2, caption")) {
    check(style(heading).breakAfter === "avoid", `a page may end with ${heading.textContent}`);
  }
  for (const whole of all("tr, figure, header.verdict, .provenance")) {
    const what = whole.textContent.trim().slice(0, 40);
    check(style(whole).breakInside === "avoid", `may be cut: ${what}`);
    check(height(whole) <= page, `is higher than a page: ${what}`);
  }
  for (const head of all("thead")) {
    check(style(head).display === "table-header-group", "a table's head does not come again");
  }
  for (const box of all(".scroll")) {
    check(style(box).overflowX === "visible", "a box would be cut");
  }
  for (const text of all("details pre")) {
    check(height(text) > 0, "the resolved scenario is folded away");
  }
  return findings;
})();
