//! A server of one page, strict as some that show reports: it forbids the page all but its markup.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// What Jenkins says of the files that it keeps, but that nothing is allowed beside pictures.
const POLICY: &str = "default-src 'none'; img-src data:";

/// A server on a port of its own, as long as the tests run.
pub(crate) struct Server {
    /// Where its page is.
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn of(page: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/report.html", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let Some(first) = lines.next() else { continue };
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                log.lock().unwrap().push(first);
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Security-Policy: \
                     {POLICY}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    page.len()
                );
                // A browser that no longer listens is no fault of the page.
                let _ = stream.write_all(head.as_bytes());
                let _ = stream.write_all(page.as_bytes());
            }
        });
        Self { address, asked }
    }

    /// The first lines of the requests that came.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}
