// What is shown when: the key, the connection, the summary, the models, the journal.
const KEY = "coalmine.key";
const SHOWN_ENTRIES = 50;
// Figures come each second; one may be late.
const STALE = 3;
// How long a rollback stays in the summary.
const RECENT = 3600;

// Some browsers forbid even this memory, which ends with the tab: then the key lives in the page.
const memory = {
  read: () => {
    try {
      return sessionStorage.getItem(KEY);
    } catch {
      return null;
    }
  },
  write: (key) => {
    try {
      if (key === null) sessionStorage.removeItem(KEY);
      else sessionStorage.setItem(KEY, key);
    } catch {
      // It is typed again after a reload.
    }
  },
};

const board = byId("board");
const cards = new Map();
let key = null;
let feed = null;
let link = { state: "off" };
let entries = new Map();
let rules = new Map();
let status = null;
let received = 0;

const age = () => (performance.now() - received) / 1000;
const isStale = () => status !== null && age() > STALE;
const now = () => Date.parse(status.at) / 1000 + age();
const today = () => new Date(now() * 1000).toISOString();

const send = async (path, headers, body) => {
  try {
    const all = { ...headers, Authorization: `Bearer ${key}` };
    const response = await fetch(path, { method: "POST", headers: all, body });
    if (!response.ok) return { error: await refusal(response) };
    return { body: await response.json() };
  } catch {
    return { error: "The gateway did not answer. Whether it carried this out is not known; to try again is safe." };
  }
};
const dialog = commandDialog(send, () => (isStale() ? span(age()) : ""));

const entriesOf = (model) => [...entries.values()].filter((entry) => entry.model === model);

const context = (model) => {
  const own = entriesOf(model);
  const began = own.findLast(({ change: made }) => made.rollout_started !== undefined);
  const rollbacks = own.filter(({ change: made }) => made.rolled_back !== undefined);
  return {
    rules: rules.get(model),
    steps: began?.change.rollout_started.steps,
    marks: rollbacks.map(({ at }) => Date.parse(at) / 1000),
    now: now(),
    today: today(),
  };
};

const learnRules = async (model) => {
  try {
    const response = await feed.get(`/v1/deploy/rollback-rules?model=${encodeURIComponent(model)}`);
    // Whom the rules notify is not kept: there are secrets among it.
    const { enable, conditions } = await response.json();
    rules.set(model, { enable, conditions });
    showModels();
  } catch {
    // The names of rules say most of it.
  }
};

// `isNew`: the figures have just come, and become points of the charts.
const showModels = (isNew = false) => {
  if (status === null) return;
  const ids = status.models.map(({ model }) => model);
  const shown = keyed(byId("models"), ids, (id) => modelCard(id, dialog.ask));
  status.models.forEach((model, at) => {
    cards.set(model.model, shown[at]);
    if (isNew) shown[at].remember(model, Date.parse(status.at) / 1000);
    shown[at].show(model, context(model.model));
  });
};

const ENTRY_HEADS = [["No.", "figure"], ["Time", ""], ["Model", ""], ["What", ""], ["By", ""]];
const tail = tableOf(
  `The last ${SHOWN_ENTRIES} entries that this key may see, the newest first. Times are UTC.`,
  ENTRY_HEADS,
);
tail.body.id = "entries";
byId("tail").append(scrolling("Journal entries", tail.root));

const entryRow = (number) => {
  const { root, cells } = rowOf(ENTRY_HEADS, false);
  const show = (entry) => {
    const texts = [String(number), clock(entry.at, today()), entry.model ?? "all", change(entry), actor(entry)];
    texts.forEach((text, at) => put(cells[at], text));
    root.classList.toggle("grave", isGrave(entry));
  };
  return { root, show };
};

const showEntries = () => {
  if (status === null) return;
  const numbers = [...entries.keys()].sort((one, other) => other - one).slice(0, SHOWN_ENTRIES);
  const rows = keyed(tail.body, numbers, entryRow);
  numbers.forEach((number, at) => rows[at].show(entries.get(number)));
  put(byId("journal-note"), numbers.length === 0 ? "There are no entries yet." : "");
};

// What somebody who was just woken should know, the worst first.
const findings = () => {
  const of = (judge) => status.models.flatMap((model) => judge(model).map((text) => `${model.model}: ${text}`));
  const breaches = of((model) =>
    model.rules
      .filter(({ timer }) => timer !== null)
      .map(({ id, version, timer }) => {
        const { held_seconds: held, duration_seconds: duration } = timer;
        return `${version} breaks the rule ${id}: held ${span(held)} of ${span(duration)}`;
      }),
  );
  const rollbacks = of(({ last_rollback: last }) => {
    const since = last === null ? Infinity : now() - Date.parse(last.at) / 1000;
    return since < RECENT ? [`rolled back to ${last.target} ${span(since)} ago, by ${actor(last)}`] : [];
  });
  const warnings = of((model) => model.warnings);
  const rollouts = of(({ rollout }) =>
    ["stepping", "paused"].includes(rollout.state) ? [rolloutWords(rollout).replace(/\.$/, "")] : [],
  );
  return { breaches, warnings, rollbacks, rollouts };
};

const verdict = ({ breaches, warnings, rollbacks, rollouts }) => {
  const versionsIn = new Set(status.models.flatMap(({ model, rules: all }) =>
    all.filter(({ timer }) => timer !== null).map(({ version }) => `${model} ${version}`)));
  if (breaches.length > 0) {
    const verb = versionsIn.size === 1 ? "breaks" : "break";
    return ["fail", "!", `${plural(versionsIn.size, "version")} ${verb} rules`];
  }
  const warned = status.models.filter((model) => model.warnings.length > 0).length;
  if (warned > 0) return ["inconclusive", "!", `Warnings about ${plural(warned, "model")}`];
  if (rollbacks.length > 0) return ["inconclusive", "↩", `${plural(rollbacks.length, "model")} rolled back within the hour`];
  if (rollouts.length > 0) return ["pass", "→", `${plural(rollouts.length, "rollout")} under way, no rule in breach`];
  return ["pass", "✓", "No rule in breach"];
};

const showSummary = () => {
  if (status === null) return;
  const found = findings();
  const [tone, symbol, words] = verdict(found);
  const old = isStale();
  board.classList.toggle("stale", old);
  attribute(byId("summary"), "class", `verdict ${old ? "invalid" : tone}`);
  put(byId("symbol"), old ? "?" : symbol);
  put(byId("headline"), old ? `These figures are ${span(age())} old` : words);
  const lines = Object.values(found).flat();
  const reasons = old ? [`What they said last: ${words}`, ...lines] : lines;
  const items = keyed(byId("reasons"), reasons.map((_, at) => at), () => ({ root: make("li") }));
  reasons.forEach((text, at) => put(items[at].root, text));
  document.title = `${old ? "?" : symbol} ${old ? "stale" : words} · ${location.host}`;
};

const LINKS = {
  off: ["unjudged", "Not signed in"],
  connecting: ["inconclusive", "Connecting"],
  live: ["pass", "Live"],
  draining: ["inconclusive", "Draining"],
  lost: ["fail", "Reconnecting"],
};

const showLink = () => {
  const [tone, words] = LINKS[link.state];
  const isAgain = link.state === "connecting" && link.why !== "";
  attribute(byId("link"), "class", `pill ${isAgain ? "fail" : tone}`);
  put(byId("link"), isAgain ? "Reconnecting" : words);
  const parts = [];
  if (link.why) parts.push(link.why);
  if (status !== null) parts.push(`figures of ${span(age())} ago`);
  put(byId("age"), parts.join("; "));
};

const forget = (why) => {
  feed?.stop();
  feed = null;
  [key, status, entries, rules] = [null, null, new Map(), new Map()];
  memory.write(null);
  dialog.close();
  cards.clear();
  keyed(byId("models"), [], modelCard);
  keyed(tail.body, [], entryRow);
  document.title = "coalmine";
  link = { state: "off" };
  showLink();
  board.hidden = byId("forget").hidden = true;
  byId("enter").hidden = false;
  byId("key").value = "";
  attribute(byId("key"), "aria-invalid", String(why !== ""));
  put(byId("key-error"), why);
  byId("key").focus();
};

const enter = (typed) => {
  key = typed;
  put(byId("key-error"), "");
  feed = listen(key, {
    status: (told) => {
      const isFirst = status === null;
      [status, received] = [told, performance.now()];
      if (isFirst) {
        // Only a key that the gateway took is remembered.
        memory.write(key);
        byId("enter").hidden = true;
        board.hidden = byId("forget").hidden = false;
        byId("key").value = "";
        byId("main").focus({ preventScroll: true });
      }
      showModels(true);
      showSummary();
      showLink();
    },
    entry: (entry) => {
      entries.set(entry.number, entry);
      if (entries.size > 2 * TAIL) entries.delete(Math.min(...entries.keys()));
      if (entry.change.rules !== undefined && rules.has(entry.model)) learnRules(entry.model);
      showEntries();
    },
    anew: () => {
      entries = new Map();
      showEntries();
    },
    state: (state, more = {}) => {
      link = { state, why: more.why ?? "" };
      if (state === "live") status.models.forEach(({ model }) => learnRules(model));
      showLink();
    },
    refused: (why) => forget(`The gateway does not take this key: ${why}`),
  });
};

byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  feed?.stop();
  const typed = byId("key").value.trim();
  // What no header may hold was never given out as a key.
  if (/^[\x21-\x7e]+$/.test(typed)) enter(typed);
  else put(byId("key-error"), "This is no access key: keys have letters, digits and a dot, and no spaces.");
});
byId("forget").addEventListener("click", () => forget(""));
addEventListener("resize", () => status !== null && cards.forEach((card) => card.redraw(now())));
setInterval(() => {
  showLink();
  if (isStale()) {
    showSummary();
    cards.forEach((card) => card.redraw(now()));
  }
}, 1000);

put(byId("host"), location.host);
const kept = memory.read();
byId("enter").hidden = false;
if (kept !== null) enter(kept);
else byId("key").focus();
