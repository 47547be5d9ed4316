//! A page in Chromium: how it is looked at, asked, pictured and printed.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::pipe::{Pipe, chromium};

/// The one page of a Chromium of its own.
pub(crate) struct Tab {
    pipe: Pipe,
    session: String,
}

/// How a page is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// What the reader prefers: `light` or `dark`.
    pub(crate) scheme: &'static str,
    /// The width of the window in CSS pixels.
    pub(crate) width: u32,
    /// Whether the page's scripts run.
    pub(crate) scripts: bool,
    /// Whether it is laid out for paper.
    pub(crate) paper: bool,
}

impl View {
    /// On a screen, with scripts.
    pub(crate) const fn screen(scheme: &'static str, width: u32) -> Self {
        Self { scheme, width, scripts: true, paper: false }
    }
}

const HEIGHT: u32 = 900;
/// How long a condition may take to hold. Chosen: on a busy machine far more than any takes.
const PATIENCE_MS: u32 = 60_000;

impl Tab {
    /// `None` where there is no Chromium, which is said, unless `REQUIRE_BROWSER` forbids it.
    pub(crate) fn open() -> Option<Self> {
        let Some(path) = chromium() else {
            skip("Chromium");
            return None;
        };
        let mut pipe = Pipe::open(&path);
        let target = pipe.call(None, "Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = pipe.call(None, "Target.attachToTarget", &attach);
        let session = attached["sessionId"].as_str().unwrap().to_owned();
        let mut tab = Self { pipe, session };
        for domain in ["Page", "Network", "Runtime"] {
            tab.call(&format!("{domain}.enable"), &json!({}));
        }
        Some(tab)
    }

    /// Loads a page and waits until it is there.
    pub(crate) fn show(&mut self, address: &str, view: View) {
        let size = json!({
            "width": view.width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": false,
        });
        self.call("Emulation.setDeviceMetricsOverride", &size);
        let features = json!([{ "name": "prefers-color-scheme", "value": view.scheme }]);
        let medium = if view.paper { "print" } else { "" };
        let media = json!({ "media": medium, "features": features });
        self.call("Emulation.setEmulatedMedia", &media);
        let disabled = json!({ "value": !view.scripts });
        self.call("Emulation.setScriptExecutionDisabled", &disabled);
        self.pipe.forget_events();
        self.call("Page.navigate", &json!({ "url": address }));
        self.pipe.wait("Page.loadEventFired");
    }

    /// The value of an expression, of what it promises if it does.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let asked = json!({
            "expression": expression, "returnByValue": true, "awaitPromise": true,
        });
        let mut answer = self.call("Runtime.evaluate", &asked);
        let thrown = &answer["exceptionDetails"];
        assert!(thrown.is_null(), "{thrown:#}");
        answer["result"]["value"].take()
    }

    /// Waits until an expression is true.
    pub(crate) fn until(&mut self, condition: &str) {
        let seen = self.evaluate(&format!(
            "new Promise((resolve) => {{
                const end = performance.now() + {PATIENCE_MS};
                const look = () => {{
                    let holds = false;
                    // What it is about may not be there yet.
                    try {{ holds = Boolean({condition}); }} catch {{ holds = false; }}
                    if (holds || performance.now() > end) resolve(holds);
                    else setTimeout(look, 20);
                }};
                look();
            }})"
        ));
        if seen != true {
            let text = self.evaluate("document.body.innerText");
            panic!("it does not come to {condition}:\n{}", text.as_str().unwrap());
        }
    }

    /// Waits until the page was drawn once more.
    pub(crate) fn next_frame(&mut self) {
        self.evaluate("new Promise((resolve) => requestAnimationFrame(() => resolve(0)))");
    }

    /// The texts of a list that an expression makes.
    pub(crate) fn list(&mut self, expression: &str) -> Vec<String> {
        let value = self.evaluate(expression);
        let texts = value.as_array().unwrap_or_else(|| panic!("no list: {value}"));
        texts.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    }

    /// Types a text into what has the focus.
    pub(crate) fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", &json!({ "text": text }));
    }

    /// Presses a key as a keyboard does.
    pub(crate) fn press(&mut self, key: &str) {
        let text = if key == "Enter" { "\r" } else { "" };
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "ArrowRight" => 39,
            _ => 0,
        };
        for kind in ["keyDown", "keyUp"] {
            let event = json!({
                "type": kind, "key": key, "code": key, "text": text, "windowsVirtualKeyCode": code,
            });
            self.call("Input.dispatchKeyEvent", &event);
        }
    }

    /// The addresses that the page asked for, itself included.
    pub(crate) fn requests(&self) -> Vec<String> {
        let sent = self.pipe.events("Network.requestWillBeSent");
        sent.map(|event| event["params"]["request"]["url"].as_str().unwrap().to_owned()).collect()
    }

    /// What its scripts threw.
    pub(crate) fn exceptions(&self) -> Vec<String> {
        let thrown = self.pipe.events("Runtime.exceptionThrown");
        thrown.map(|event| event["params"]["exceptionDetails"].to_string()).collect()
    }

    /// Writes a picture of the whole page.
    pub(crate) fn picture(&mut self, path: &Path) {
        let size = self.evaluate("[innerWidth, document.documentElement.scrollHeight]");
        // A picture has at most 16,384 rows.
        let height = size[1].as_u64().unwrap().min(16_384);
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": height, "scale": 1 });
        let asked = json!({ "captureBeyondViewport": true, "clip": clip });
        let picture = self.call("Page.captureScreenshot", &asked);
        fs::write(path, base64(&picture["data"])).unwrap();
    }

    /// Writes the page as a PDF, without the grounds that printers leave out, and returns it.
    pub(crate) fn print(&mut self, path: &Path) -> Vec<u8> {
        // A4, in inches.
        let paper = json!({ "paperWidth": 8.27, "paperHeight": 11.69, "printBackground": false });
        let printed = self.call("Page.printToPDF", &paper);
        let bytes = base64(&printed["data"]);
        fs::write(path, &bytes).unwrap();
        bytes
    }

    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.pipe.call(Some(&self.session), method, params)
    }
}

/// Says that a test did nothing for want of `what`; panics where that is forbidden.
pub(crate) fn skip(what: &str) {
    assert!(std::env::var_os("REQUIRE_BROWSER").is_none(), "there is no {what}");
    println!("skipped: there is no {what}");
}

/// The bytes of a text in the alphabet of RFC 4648, section 4.
fn base64(text: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.as_str().unwrap().bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

#[test]
fn letters_become_bytes_again() {
    // The examples of RFC 4648, section 10.
    for (text, bytes) in
        [("Zg==", "f"), ("Zm8=", "fo"), ("Zm9vYg==", "foob"), ("Zm9vYmFy", "foobar")]
    {
        assert_eq!(base64(&text.into()), bytes.as_bytes());
    }
}
