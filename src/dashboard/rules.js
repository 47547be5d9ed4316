// The rules of a model: what each of them watches, how far its timer is, and what it does.
const ACTIONS = {
  rollback_to_last_stable: "rolls back to the last stable",
  pause: "pauses the rollout",
  notify: "tells people",
};

const action = (condition) => {
  const told = condition?.action;
  if (told === undefined) return NONE;
  if (Object.hasOwn(ACTIONS, told)) return ACTIONS[told];
  return told.startsWith("rollback_to:") ? `rolls back to ${told.slice(12)}` : told;
};

const RULE_HEADS = [["Rule", ""], ["Watches", ""], ["Timer", ""], ["Checks", "figure"], ["Firings", "figure"]];

const ruleRow = () => {
  const { root, cells } = rowOf(RULE_HEADS, true);
  const [rule, version, timed, checked, firings] = cells;
  const [id, does] = [make("span"), make("small")];
  rule.append(id, make("br"), does);
  const meter = make("progress", { max: 1, value: 0, hidden: true });
  const [timer, seen] = [make("span"), make("small")];
  timed.append(timer, meter, seen);
  const [made, breaches] = [make("span"), make("small")];
  checked.append(made, make("br"), breaches);

  const show = (told, condition, isEnabled) => {
    put(id, told.id);
    put(does, isEnabled ? action(condition) : "switched off");
    put(version, told.version);
    const running = told.timer !== null;
    const judge = running ? null : told.judge;
    meter.hidden = !running && judge === null;
    put(seen, judge?.seen ?? "");
    root.classList.toggle("breach", running);
    if (running) {
      const { held_seconds: held, duration_seconds: duration, since } = told.timer;
      put(timer, `Breach: held ${span(held)} of ${span(duration)}, since ${since.slice(11, 19)}`);
      meter.value = duration > 0 ? Math.min(1, held / duration) : 1;
      attribute(meter, "aria-label", `Breach timer of ${told.id} on ${told.version}`);
    } else if (judge !== null) {
      put(timer, `${percent(judge.progress)} of the way to a breach`);
      meter.value = Math.min(1, judge.progress);
      attribute(meter, "aria-label", `Progress of ${told.id} on ${told.version}`);
    } else {
      const longest = told.longest_timer_seconds;
      put(timer, longest > 0 ? `No breach; the longest held ${span(longest)}` : "No breach");
    }
    put(made, count(told.checks));
    put(breaches, `${count(told.breaches)} in breach, ${count(told.no_data)} without data`);
    put(firings, count(told.firings));
  };
  return { root, show };
};

const rulesTable = (id) => {
  const { root: table, body } = tableOf("Rollback rules", RULE_HEADS);
  const scroll = scrolling(`Rollback rules of ${id}`, table);
  const none = make("p", { className: "note" });
  const root = make("div", { className: "part rules" }, scroll, none);

  // `known`: the rules as they are configured, or undefined while they are not known.
  const show = (model, known) => {
    const conditions = new Map((known?.conditions ?? []).map((each) => [each.id, each]));
    const key = (rule) => `${rule.id} ${rule.version}`;
    const rows = keyed(body, model.rules.map(key), ruleRow);
    const isEnabled = known?.enable ?? true;
    model.rules.forEach((rule, at) => rows[at].show(rule, conditions.get(rule.id), isEnabled));
    scroll.hidden = model.rules.length === 0;
    none.hidden = model.rules.length > 0;
    const there = known?.conditions.length ?? 0;
    const watching = there > 0 ? `${plural(there, "rollback rule")}; no version is watched now.` : "There are no rollback rules.";
    put(none, known === undefined ? "No version is watched by rules now." : watching);
  };
  return { root, show };
};
