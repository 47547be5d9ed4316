// The card of a model: its split, its rollout, its versions with their last minute, its charts and
// its rules.
const COLUMNS = [
  ["Weight", (version) => weight(version.weight)],
  ["Error rate", ({ window: seen }) => percent(seen.error_rate)],
  ["p50", ({ window: seen }) => millis(seen.latency_p50_ms)],
  ["p95", ({ window: seen }) => millis(seen.latency_p95_ms)],
  ["p99", ({ window: seen }) => millis(seen.latency_p99_ms)],
  ["TTFT p50", ({ window: seen }) => millis(seen.ttft_p50_ms)],
  ["TTFT p99", ({ window: seen }) => millis(seen.ttft_p99_ms)],
  ["Requests", ({ window: seen }) => count(seen.requests)],
  ["In flight", (version) => count(version.in_flight)],
  ["Cost per 1k tokens", ({ window: seen }) => dollars(seen.cost_per_1k_tokens)],
];

const swatch = () => make("span", { className: "swatch" });

const VERSION_HEADS = [["Version", ""], ...COLUMNS.map(([text]) => [text, "figure"])];

const versionRow = () => {
  const [mark, id, status] = [swatch(), make("strong"), make("small")];
  const { root, cells } = rowOf(VERSION_HEADS, true);
  cells[0].append(mark, id, make("br"), status);
  const show = (version, look) => {
    attribute(mark, "class", `swatch v${look % 7}`);
    put(id, version.id);
    const word = version.status.replaceAll("_", " ");
    put(status, [word, ...version.tags.filter((tag) => tag !== word)].join(" · "));
    COLUMNS.forEach(([, text], at) => put(cells[at + 1], text(version)));
    root.classList.toggle("idle", version.weight === 0);
  };
  return { root, show };
};

const within = (interval) => {
  if (interval === null) return "–";
  const { value, low, high } = interval;
  const end = (time) => (time === null ? "?" : millis(time));
  return `${millis(value)} [${end(low)}, ${end(high)}]`;
};

const LATENCY_COLUMNS = [
  ["p50", (latency) => within(latency.p50_ms)],
  ["p90", (latency) => within(latency.p90_ms)],
  ["p99", (latency) => within(latency.p99_ms)],
  ["Successes", (latency) => count(latency.successes)],
  ["Waiting", (latency) => count(latency.waiting)],
];

const LATENCY_HEADS = [["Version", ""], ...LATENCY_COLUMNS.map(([text]) => [text, "figure"])];

const latencyRow = () => {
  const [mark, id, since] = [swatch(), make("strong"), make("small")];
  const { root, cells } = rowOf(LATENCY_HEADS, true);
  cells[0].append(mark, id, make("br"), since);
  const show = (version, look, today) => {
    attribute(mark, "class", `swatch v${look % 7}`);
    put(id, version.id);
    put(since, `since ${clock(version.latency.since, today)} UTC`);
    LATENCY_COLUMNS.forEach(([, text], at) => put(cells[at + 1], text(version.latency)));
  };
  return { root, show };
};

// Latencies since the activation, as their attempts began: intervals for people who look at every second.
const latencyTable = (id) => {
  const { root: table, body, caption } = tableOf("", LATENCY_HEADS);
  const root = make("div", { className: "part" }, scrolling(`Latency of ${id}`, table));
  const show = (versions, look, today) => {
    const seen = versions.filter((version) => version.latency !== null);
    root.hidden = seen.length === 0;
    if (root.hidden) return;
    const sure = weight(seen[0].latency.confidence);
    put(caption, `Latency of successes since the activation, in the order in which they began; intervals for every look (${sure})`);
    const rows = keyed(body, seen.map((version) => version.id), latencyRow);
    seen.forEach((version, at) => rows[at].show(version, look(version.id), today));
  };
  return { root, show };
};

const shareItem = () => {
  const [mark, text] = [swatch(), make("span")];
  const root = make("li", {}, mark, text);
  const show = (id, share, look) => {
    attribute(mark, "class", `swatch v${look % 7}`);
    put(text, `${id} ${weight(share)}`);
  };
  return { root, show };
};

const splitBar = () => {
  const bar = make("div", { className: "split" });
  bar.setAttribute("role", "img");
  const list = make("ul", { className: "shares" });
  const root = make("div", { className: "part" }, bar, list);
  const show = (model, look) => {
    const ids = model.versions.map((version) => version.id).filter((id) => id in model.split);
    // The stable stands to the left, so that a rollout grows from the right.
    ids.sort((one, other) => (other === model.stable) - (one === model.stable));
    const segments = keyed(bar, ids, () => ({ root: make("span") }));
    const items = keyed(list, ids, shareItem);
    ids.forEach((id, at) => {
      const share = model.split[id];
      attribute(segments[at].root, "class", `v${look(id) % 7}`);
      segments[at].root.style.flexGrow = share;
      items[at].show(id, share, look(id));
    });
    const words = ids.map((id) => `${id} ${weight(model.split[id])}`).join(", ");
    attribute(bar, "aria-label", `Split: ${words || "nothing is deployed"}`);
  };
  return { root, show };
};

// How a rollout stands, in a sentence. `steps` is known if its beginning is among the entries.
const rolloutWords = ({ state, number, version, step, step_weight: share }, steps) => {
  const which = version === null ? `Rollout ${number}` : `Rollout ${number} of ${version}`;
  const of = steps === undefined ? "" : ` of ${steps.length}`;
  const at = `step ${step}${of}${share === null ? "" : `, weight ${weight(share)}`}`;
  if (state === "idle") return "No rollout is under way.";
  if (state === "stepping") return `${which}: under way at ${at}.`;
  if (state === "paused") return `${which}: paused at ${at}.`;
  if (state === "promoted") {
    return version === null ? `${which} ended: promoted.` : `${which} ended: promoted; rules still cover it.`;
  }
  return `${which} ended: ${state.replaceAll("_", " ")}.`;
};

const ladder = (rollout, steps) =>
  (steps ?? []).map((step, at) => {
    const place = rollout.step === null || at + 1 > rollout.step ? "next" : at + 1 < rollout.step ? "done" : "here";
    const wait = step.pause ? ", waits" : "";
    return { place, text: `${weight(step.weight)} for ${seconds(step.hold)}${wait}` };
  });

const rollbackWords = (last, today) => {
  const what = last.version === null ? "" : `${last.version} `;
  const when = `${clock(last.at, today)} UTC`;
  const cause = last.cause.trigger;
  const why = cause ? `rule ${last.by}: ${evidence(cause)}` : `by ${last.by}`;
  return `${when}, ${what}to ${last.target}, ${why} (entry ${last.journal_entry})`;
};

const actionsOf = (model) => {
  const isUnderWay = ["stepping", "paused"].includes(model.rollout.state);
  const rollout = isUnderWay
    ? [model.rollout.state === "paused" ? "resume" : "pause", "promote", "abort"]
    : [];
  return ["rollback", ...rollout];
};

const modelCard = (id, ask) => {
  const titleId = `model-${modelCard.made = (modelCard.made ?? 0) + 1}`;
  const title = make("h2", { id: titleId }, id);
  const facts = make("p", { className: "note facts-line" });
  const buttons = make("div", { className: "row actions" });
  const split = splitBar();
  const rollout = make("p", { className: "rollout" });
  const steps = make("ol", { className: "ladder" });
  const last = make("p", { className: "last" });
  const { root: table, body, caption } = tableOf("", VERSION_HEADS);
  const scroll = scrolling(`Versions of ${id}`, table);
  const others = make("button", { type: "button", className: "quiet" });
  const errors = trend("Error rate, last minute", { format: percent, ticks: weight, least: 0.01, cap: 1 });
  const latency = trend("Latency p99, last minute", { format: millis, ticks: millis, least: 100, cap: Infinity });
  const rules = rulesTable(id);
  const latencies = latencyTable(id);
  const root = make(
    "article", { className: "model" },
    make("div", { className: "model-head" }, make("div", {}, title, facts), buttons),
    split.root, rollout, steps, last,
    make("div", { className: "part" }, scroll, others),
    make("div", { className: "trends" }, errors.root, latency.root),
    latencies.root, rules.root,
  );
  root.setAttribute("aria-labelledby", titleId);

  let isWhole = false;
  let shown = null;
  others.addEventListener("click", () => {
    isWhole = !isWhole;
    if (shown) show(...shown);
  });
  const looks = new Map();
  const look = (version) => {
    if (!looks.has(version)) looks.set(version, looks.size);
    return looks.get(version);
  };
  const history = new Map();

  // What the gateway saw before this page did fills the time in which it did not listen.
  const remember = (model, at) => {
    for (const { id: version, window: seen, history: before = [] } of model.versions) {
      if (!history.has(version)) history.set(version, []);
      const points = history.get(version);
      const since = points.at(-1)?.at ?? -Infinity;
      const missed = before.map((point) => ({
        at: Date.parse(point.at) / 1000, error: point.error_rate, p99: point.latency_p99_ms,
      }));
      points.push(...missed.filter((point) => point.at > since && point.at < at));
      points.push({ at, error: seen.error_rate, p99: seen.latency_p99_ms });
      while (points[0].at < at - SPAN) points.shift();
    }
  };

  const charts = (known, marks, now) => {
    const line = (field) => ([version, points]) => ({
      name: version, look: look(version), points: points.map((point) => ({ at: point.at, value: point[field] })),
    });
    const seen = [...history].filter(([, points]) => points.some(({ p99, error }) => p99 !== null || error !== null));
    const limits = (metric, field, factor) =>
      (known?.enable ? known.conditions : [])
        .filter((each) => each.metric === metric && each.compare_to === undefined && each[field] !== undefined)
        .map((each) => each[field] * factor);
    errors.show(seen.map(line("error")), limits("error_rate", "threshold", 1), marks, now);
    latency.show(seen.map(line("p99")), limits("latency_p99", "threshold_ms", 1), marks, now);
  };

  const show = (model, context) => {
    shown = [model, context];
    // The stable has the first look, and each version keeps its own whatever becomes of it.
    if (looks.size === 0 && model.stable !== null) look(model.stable);
    [...model.versions].reverse().forEach((version) => look(version.id));
    const stable = model.stable === null ? "no version is tagged stable" : `stable is ${model.stable}`;
    put(facts, `${stable} · ${count(model.in_flight)} in flight`);
    const parts = keyed(buttons, actionsOf(model), (name) => actionButton(name, () => ask(name, shown[0])));
    parts.forEach((part) => part.show(model));
    split.show(model, look);
    put(rollout, rolloutWords(model.rollout, context.steps));
    const isUnderWay = model.rollout.step !== null;
    const rungs = isUnderWay ? ladder(model.rollout, context.steps) : [];
    const made = keyed(steps, rungs.map((_, at) => at), () => ({ root: make("li") }));
    rungs.forEach(({ place, text }, at) => {
      attribute(made[at].root, "class", place);
      if (place === "here") attribute(made[at].root, "aria-current", "step");
      else made[at].root.removeAttribute("aria-current");
      put(made[at].root, text);
    });
    steps.hidden = rungs.length === 0;
    const rollback = model.last_rollback;
    put(last, rollback === null ? "There was no rollback." : `Last rollback: ${rollbackWords(rollback, context.today)}.`);
    const window = model.versions[0]?.window.window_seconds;
    put(caption, window === undefined ? "There are no versions." : `What was seen in the last ${window} s`);
    const isBusy = (version) =>
      version.weight > 0 || version.in_flight > 0 || version.window.requests > 0 || version.tags.length > 0;
    const rows = model.versions.filter((version) => isWhole || isBusy(version));
    const built = keyed(body, rows.map((version) => version.id), versionRow);
    rows.forEach((version, at) => built[at].show(version, look(version.id)));
    const idle = model.versions.filter((version) => !isBusy(version)).length;
    others.hidden = idle === 0;
    attribute(others, "aria-expanded", String(isWhole));
    put(others, `${isWhole ? "Hide" : "Show"} ${plural(idle, "version")} without traffic and tags`);
    latencies.show(model.versions.filter((version) => version.weight > 0), look, context.today);
    rules.show(model, context.rules);
    charts(context.rules, context.marks, context.now);
  };
  return { root, show, remember, redraw: (now) => shown && charts(shown[1].rules, shown[1].marks, now) };
};
