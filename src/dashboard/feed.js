// What the gateway tells: read from the response of a request, since an EventSource sends no key.
// Knows nothing of the page.

// Splits a stream of server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html
const eventReader = (tell) => {
  let rest = "";
  let event = { name: "message", data: [], id: null };
  const line = (text) => {
    if (text === "") {
      if (event.data.length > 0) tell({ ...event, data: event.data.join("\n") });
      event = { name: "message", data: [], id: null };
      return;
    }
    const colon = text.indexOf(":");
    const name = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (name === "data") event.data.push(value);
    else if (name === "event") event.name = value;
    else if (name === "id") event.id = value;
  };
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    lines.forEach((each) => line(each.replace(/\r$/, "")));
  };
};

// Why a response is no success, in words.
const refusal = async (response) => {
  const body = await response.json().catch(() => null);
  return body?.error?.message ?? `the gateway answered ${response.status}`;
};

// What ends a connection and is no fault of this page.
class Ended extends Error {}
class Unreachable extends Ended {}
class KeyRefused extends Ended {}

// Of a network that fails browsers say no more than that, by a TypeError.
const reach = async (promise) => {
  try {
    return await promise;
  } catch (error) {
    throw error instanceof TypeError ? new Unreachable("it cannot be reached") : error;
  }
};

// Chosen: a glitch is over at once, and a gateway that is down is not asked more than four times a
// minute by each page.
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 15000;
// Figures come each second: after so many without one the connection is dead.
const SILENCE = 10000;
// More than the entries that are shown: a key may not see them all.
const TAIL = 200;

// Listens until `stop` is called. `on` has `status` (all figures), `entry`, `anew` (another journal:
// forget its entries), `state` (`connecting`, `live`, `draining`, `lost` with seconds to wait and
// why) and `refused` (the key is not taken).
const listen = (key, on) => {
  const end = new AbortController();
  const headers = { Authorization: `Bearer ${key}` };
  let last = null;
  let wait = FIRST_WAIT;
  let isDraining = false;

  const get = async (path, more, signal) => {
    const response = await reach(
      fetch(path, { headers: { ...headers, ...more }, signal, cache: "no-store" }),
    );
    if (response.status === 401 || response.status === 403) throw new KeyRefused(await refusal(response));
    if (!response.ok) throw new Ended(await refusal(response));
    return response;
  };

  const hear = ({ name, data, id }) => {
    const told = JSON.parse(data);
    if (name === "metrics") on.status(told);
    else if (name === "end") {
      isDraining = /stopping/.test(told.message);
      throw new Ended(told.message);
    } else if (name === "journal") {
      last = Number(id);
      on.entry(told);
    } else if (name === "lagged") throw new Ended(told.message);
  };

  const once = async () => {
    const silence = new AbortController();
    const signal = AbortSignal.any([end.signal, silence.signal]);
    const hush = () => silence.abort(new Ended(`the gateway said nothing for ${SILENCE / 1000} s`));
    let timer = setTimeout(hush, SILENCE);
    try {
      const status = await (await get("/v1/deploy/status", {}, signal)).json();
      // The figures of a gateway that began anew, with a journal of its own.
      if (last !== null && status.journal_entries < last) {
        last = null;
        on.anew();
      }
      on.status(status);
      const after = last ?? Math.max(0, status.journal_entries - TAIL);
      const response = await get("/v1/deploy/events", { "Last-Event-ID": String(after) }, signal);
      last = after;
      isDraining = false;
      wait = FIRST_WAIT;
      on.state("live");
      const read = eventReader(hear);
      const letters = new TextDecoder();
      const body = response.body.getReader();
      for (;;) {
        const { done, value } = await reach(body.read());
        if (done) throw new Ended("the gateway ended the connection");
        clearTimeout(timer);
        timer = setTimeout(hush, SILENCE);
        read(letters.decode(value, { stream: true }));
      }
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
  };

  const run = async () => {
    while (!end.signal.aborted) {
      try {
        await once();
      } catch (error) {
        if (end.signal.aborted) return;
        if (error instanceof KeyRefused) return on.refused(error.message);
        // What drains still answers: it is over.
        if (error instanceof Unreachable) isDraining = false;
        if (!(error instanceof Ended)) reportError(error);
        const why = error.message;
        on.state(isDraining ? "draining" : "lost", { wait: wait / 1000, why });
        await new Promise((resolve) => {
          const timer = setTimeout(resolve, wait);
          end.signal.addEventListener("abort", () => {
            clearTimeout(timer);
            resolve();
          });
        });
        wait = Math.min(LONGEST_WAIT, wait * 2);
        if (!end.signal.aborted && !isDraining) on.state("connecting", { why });
      }
    }
  };
  on.state("connecting", { why: "" });
  run();
  return { stop: () => end.abort(), get };
};
