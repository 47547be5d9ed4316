//! Small servers for the tests: a webhook and a mail server that answer as a test says. Know
//! nothing of notices.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What a webhook answers.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// An answer: all that is written.
    Text(String),
    /// Nothing, ever.
    Hang,
    /// Nothing: the connection is closed.
    Close,
}

impl Answer {
    /// An answer with a status, headers (each with its line break) and a body.
    pub(super) fn status(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::Text(format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\
             {headers}\r\n{body}"
        ))
    }
}

/// A webhook on this machine.
#[derive(Debug)]
pub(super) struct WebStandIn {
    address: SocketAddr,
    requests: Texts,
}

impl WebStandIn {
    /// A webhook that gives `answers` in their order, and the last one ever after.
    pub(super) async fn start(answers: Vec<Answer>) -> Self {
        let (listener, address) = listen().await;
        let requests = Texts::default();
        let kept = requests.clone();
        tokio::spawn(async move {
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let answer = answers.get(number).or_else(|| answers.last()).unwrap().clone();
                tokio::spawn(answer_request(stream, answer, kept.clone()));
            }
        });
        Self { address, requests }
    }

    /// An address on this machine that refuses connections.
    pub(super) async fn nobody() -> String {
        let (_, address) = listen().await;
        format!("http://{address}/")
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What was asked, in its order.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.all()
    }
}

/// A mail server on this machine.
#[derive(Debug)]
pub(super) struct MailStandIn {
    pub(super) address: SocketAddr,
    said: Texts,
    mails: Texts,
}

/// What is said instead of the usual: by the number of the connection, from 0, and the line that
/// came. An empty text: nothing at all.
type Rule = fn(usize, &str) -> Option<&'static str>;

impl MailStandIn {
    /// A server that takes every mail, but for what `rule` says.
    pub(super) async fn start(rule: Rule) -> Self {
        let (listener, address) = listen().await;
        let (said, mails) = (Texts::default(), Texts::default());
        let kept = (said.clone(), mails.clone());
        tokio::spawn(async move {
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let (said, mails) = kept.clone();
                tokio::spawn(take_mail(stream, move |line| rule(number, line), said, mails));
            }
        });
        Self { address, said, mails }
    }

    /// The lines that came, but for those of mails.
    pub(super) fn said(&self) -> Vec<String> {
        self.said.all()
    }

    /// The mails that were taken.
    pub(super) fn mails(&self) -> Vec<String> {
        self.mails.all()
    }
}

/// The headers of a mail, unfolded, and its body.
pub(super) fn read_mail(mail: &str) -> (Vec<(String, String)>, String) {
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", "\t");
    let headers = unfolded.split("\r\n").map(|line| {
        let (name, text) = line.split_once(": ").unwrap();
        (name.to_owned(), text.to_owned())
    });
    (headers.collect(), body.to_owned())
}

#[derive(Clone, Debug, Default)]
struct Texts(Arc<Mutex<Vec<String>>>);

impl Texts {
    fn keep(&self, text: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn answer_request(mut stream: TcpStream, answer: Answer, requests: Texts) {
    let mut read = Vec::new();
    while !is_whole(&read) {
        if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
            return;
        }
    }
    requests.keep(String::from_utf8(read).unwrap());
    match answer {
        Answer::Text(text) => drop(stream.write_all(text.as_bytes()).await),
        Answer::Hang => std::future::pending().await,
        Answer::Close => {}
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

/// RFC 5321, as far as it goes.
async fn take_mail(
    stream: TcpStream,
    rule: impl Fn(&str) -> Option<&'static str>,
    said: Texts,
    mails: Texts,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 stand-in\r\n").await?;
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        let command = std::mem::take(&mut line).trim_end().to_owned();
        said.keep(command.clone());
        let usual = match command.split(' ').next().unwrap_or_default() {
            "EHLO" => "250-stand-in\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n",
            "AUTH" => "235 welcome\r\n",
            "DATA" => "354 go on\r\n",
            "QUIT" => "221 bye\r\n",
            _ => "250 fine\r\n",
        };
        let reply = rule(&command).unwrap_or(usual);
        stream.write_all(reply.as_bytes()).await?;
        if reply.starts_with("354") {
            let mut mail = String::new();
            while stream.read_line(&mut line).await? > 0 && line != ".\r\n" {
                // A dot at the start of a line is doubled on the way, 4.5.2.
                mail.push_str(line.strip_prefix('.').unwrap_or(&line));
                line.clear();
            }
            line.clear();
            mails.keep(mail);
            stream.write_all(b"250 taken\r\n").await?;
        }
    }
    Ok(())
}
