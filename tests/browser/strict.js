// What a policy that forbids styles and scripts would take from the report: a list of texts.
"use strict";
(() => {
  const findings = [];
  const check = (holds, what) => holds || findings.push(what);
  const all = (selector) => [...document.querySelectorAll(selector)];

  check(getComputedStyle(document.querySelector("main")).maxWidth === "none", "styles are in force");
  check(all("button").length === 0, "the page's script ran");

  // What charts are drawn with is what they say.
  const rgb = (text) => {
    const channels = [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
    return `rgb(${channels.join(", ")})`;
  };
  let inks = 0;
  for (const paint of ["fill", "stroke"]) {
    for (const shape of all(`figure.chart svg [${paint}^="#"]`)) {
      inks += 1;
      const drawn = getComputedStyle(shape)[paint];
      const meant = rgb(shape.getAttribute(paint));
      check(drawn === meant, `${paint} is ${drawn} instead of ${meant}`);
    }
  }
  check(inks > 100, `only ${inks} inks`);
  for (const svg of all("figure.chart svg")) {
    const { width, height } = svg.getBoundingClientRect();
    check(width >= 640 && height >= 100, `a chart is ${width} times ${height} pixels`);
    const texts = [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim());
    const drawn = texts.filter((text) => text.getComputedTextLength() > 0);
    check(texts.length > 5 && drawn.length === texts.length, "a chart has lost text");
  }

  // Every word has its place on the page.
  const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  let words = 0;
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (!text.data.trim() || text.parentElement.closest("details")) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const { width, height } = range.getBoundingClientRect();
    words += 1;
    check(width > 0 && height > 0, `is not shown: ${text.data.trim()}`);
  }
  check(words > 100, `only ${words} texts`);
  const folded = all("details").every((details) => details.querySelector("summary") !== null);
  check(folded, "what is folded away cannot be opened");
  return findings;
})();
